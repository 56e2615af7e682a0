// The playground: sends the request that the page shows, with the key of the reader, and shows what
// comes back. The key is read when the call is made; it is kept nowhere.
{
  const form = document.getElementById("playground");
  const key = document.getElementById("key");
  const wrong = document.getElementById("key-wrong");
  const button = form.querySelector("[data-run]");
  const answers = document.getElementById("answers");
  const announcer = document.getElementById("announcer");
  const template = document.getElementById("answer-template");
  let running = null;

  // --- a sample picture, or a URL ----------------------------------------------------------------

  form.addEventListener("input", ({ target }) => {
    if (target.dataset.sampleOf) {
      document.getElementById(`url-${target.dataset.sampleOf}`).value = "";
    } else if (target.dataset.urlOf) {
      const samples = [...form.querySelectorAll(`[data-sample-of="${target.dataset.urlOf}"]`)];
      if (target.value.trim()) for (const radio of samples) radio.checked = false;
      else if (!samples.some((radio) => radio.checked)) samples[0].checked = true;
    }
  });

  // --- the call ----------------------------------------------------------------------------------

  async function call(path, body, headers, signal) {
    const begun = performance.now();
    const response = await fetch(path, {
      method: "POST",
      headers: { "authorization": `Bearer ${key.value.trim()}`, "content-type": "application/json", ...headers },
      body,
      credentials: "omit",
      cache: "no-store",
      redirect: "error",
      referrerPolicy: "no-referrer",
      signal,
    });
    const text = await response.text();
    const seconds = (performance.now() - begun) / 1000;
    let said = {};
    try { said = JSON.parse(text); } catch { /* shown as it is */ }
    return { response, text, said, seconds };
  }

  function refuse(text) {
    wrong.textContent = text;
    wrong.hidden = !text;
    if (text) key.setAttribute("aria-invalid", "true");
    else key.removeAttribute("aria-invalid");
    if (text) key.focus();
  }

  function hasKey() {
    const value = key.value.trim();
    if (!value) refuse("Paste your key first.");
    else if (!/^[!-~]+$/.test(value)) refuse("This is no key: paste all of it, as it was shown.");
    else refuse("");
    return wrong.hidden;
  }

  function setBusy(isBusy) {
    button.classList.toggle("busy", isBusy);
    button.querySelector("span").textContent = isBusy ? "Stop" : "Run";
    if (isBusy) announcer.textContent = "Waiting for the answer.";
  }

  async function run() {
    running = new AbortController();
    setBusy(true);
    answers.replaceChildren(waiting());
    try {
      await refresh(running.signal);
      const { path, body, idempotencyKey, inspected } = document.getElementById("request").dataset;
      const headers = idempotencyKey ? { "idempotency-key": idempotencyKey } : {};
      const answer = await call(path, body, headers, running.signal);
      show(answer, "Answer", "answer");
      if (inspected !== undefined && answer.response.ok && answer.said.task_id) await inspect(answer.said.task_id);
    } catch (error) {
      fail(error);
    } finally {
      running = null;
      setBusy(false);
    }
  }

  // Waiting is a picture: the target, blurred, where the answer will be.
  function waiting() {
    const view = template.content.cloneNode(true).querySelector(".answer");
    const target = form.querySelector("#place-target :checked + img, #place-target .upload img");
    const picture = document.createElement("div");
    picture.className = "waiting";
    if (target) picture.append(Object.assign(target.cloneNode(), { className: "target", alt: "" }));
    view.id = "answer";
    view.querySelector("h3").textContent = "Waiting…";
    view.replaceChildren(view.querySelector("h3"), ...(target ? [picture] : []));
    return view;
  }

  // What is shown is what is sent: the last keystroke may not have reached the server yet.
  async function refresh(signal) {
    const query = new URLSearchParams(new FormData(form));
    const answer = await fetch(`${form.getAttribute("hx-get")}?${query}`, { headers: { "HX-Request": "true" }, signal });
    if (!answer.ok) throw new Error("the page does not know what to send");
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    document.getElementById("request-place").replaceChildren(page.getElementById("request"));
  }

  function inspect(task) {
    const url = `${form.dataset.callbacks}?task=${encodeURIComponent(task)}`;
    return htmx.ajax("GET", url, { source: "#inspector-place", target: "#inspector-place" });
  }

  async function ask(task, asking) {
    if (!hasKey()) return;
    asking.classList.add("busy");
    try {
      const answer = await call(form.dataset.tasks, JSON.stringify({ id: task, action: "retrieve" }), {});
      show(answer, "Task", "task");
    } catch (error) {
      fail(error);
    } finally {
      asking.classList.remove("busy");
    }
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (running) running.abort();
    else if (hasKey()) run();
  });
  key.addEventListener("input", () => refuse(""));

  // --- what came back ------------------------------------------------------------------------------

  function fail(error) {
    const text = error.name === "AbortError"
      ? "Stopped. A swap that was accepted goes on, and will be in your history."
      : "There was no answer. Is this device online?";
    const note = document.createElement("p");
    note.className = "note small";
    note.textContent = text;
    answers.replaceChildren(note);
    announcer.textContent = text;
  }

  function show({ response, text, said, seconds }, title, name) {
    const view = template.content.cloneNode(true);
    const root = view.querySelector(".answer");
    const find = (selector) => root.querySelector(selector);
    const left = response.headers.get("x-quota-remaining");
    const code = said.error?.code;
    root.id = name;
    root.classList.toggle("refused", !response.ok);
    find("h3").textContent = title;
    find("[data-status]").textContent = `${response.status} ${response.statusText}`.trim();
    find("[data-time]").textContent = `${seconds.toFixed(2)} s`;
    if (left) tellWhatIsLeft(left, find("[data-left]"));
    if (document.getElementById(`error-${code}`)) {
      find("[data-why]").hidden = false;
      find("[data-why] a").textContent = code;
      find("[data-why] a").href = `#error-${code}`;
    }
    find("pre").id = `${name}-json`;
    find("pre").textContent = Object.keys(said).length ? JSON.stringify(said, null, 2) : text;
    find(".copy").dataset.copy = `#${name}-json`;
    find(".sent").append(...[...response.headers].filter(([header]) => isTelling(header)).map(row));
    showPicture(find("[data-picture]"), said.response ?? said);
    offerToAsk(find("[data-ask]"), said);
    document.getElementById(name)?.remove();
    answers.append(view);
    announcer.textContent = `${title}: ${response.status}. ${said.error?.message ?? ""}`;
    bringUp(root);
  }

  // Beside the text, the playground scrolls by itself, and the text stays where it is.
  function bringUp(element) {
    const panel = document.getElementById("try");
    if (getComputedStyle(panel).overflowY !== "auto") return element.scrollIntoView({ block: "start" });
    return panel.scrollBy({ top: element.getBoundingClientRect().top - panel.getBoundingClientRect().top - 8 });
  }

  const isTelling = (header) => /^(content-type|x-trace-id|x-ratelimit-.*|x-quota-.*|retry-after|allow)$/.test(header);

  function row([name, value]) {
    const line = document.createElement("div");
    const term = document.createElement("dt");
    const said = document.createElement("dd");
    term.textContent = name;
    said.textContent = value;
    line.append(term, said);
    return line;
  }

  function tellWhatIsLeft(left, place) {
    place.textContent = `${left} left`;
    const quota = document.querySelector("[data-quota]");
    if (quota) quota.textContent = left;
  }

  // Pictures are shown from this site alone; of one elsewhere (S3) the site has its own address.
  function showPicture(link, { image_url: url, task_id: task }) {
    if (!url || !/^https?:/.test(url)) return;
    const image = link.querySelector("img");
    const isHere = new URL(url).origin === location.origin;
    link.href = url;
    link.hidden = false;
    image.addEventListener("error", () => link.replaceChildren("Open the picture"), { once: true });
    image.src = isHere ? url : `${form.dataset.results}${encodeURIComponent(task)}/result/`;
  }

  function offerToAsk(asking, said) {
    const task = said.task_id ?? said.id;
    if (!task) return;
    asking.hidden = false;
    asking.textContent = said.id ? "Ask again" : "Ask /face/tasks";
    asking.addEventListener("click", () => ask(task, asking));
  }
}
