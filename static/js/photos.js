// Sends a photo ahead of its swap, and asks what it shows until somebody has looked at it.
const photos = (() => {
  const form = document.querySelector("[data-photos]");
  const base = form?.dataset.photos;
  const token = () => form.querySelector("[name=csrfmiddlewaretoken]").value;
  const headers = () => ({ Accept: "application/json", "X-CSRFToken": token() });
  const FIRST_PAUSE = 100; // milliseconds; then longer and longer
  const LONGEST_PAUSE = 1500;
  const PATIENCE = 30000;
  let here = new AbortController(); // until the form leaves the page

  // The form has been sent: the photos are used up, and nobody asks about them any more.
  const leave = () => here.abort();
  addEventListener("pageshow", (event) => { if (event.persisted) here = new AbortController(); });

  // `fields`: {image} or {copy}, and {place}. Calls progress(0…1), then changed(photo) for each
  // state until it has been looked at, or failed(message) if it cannot be used; message is "" when
  // the server could not be reached. Returns {cancel}.
  function send(fields, { progress, changed, failed }) {
    const request = new XMLHttpRequest();
    let isOver = false;
    request.open("POST", base);
    for (const [name, value] of Object.entries(headers())) request.setRequestHeader(name, value);
    request.upload.addEventListener("progress", (event) => event.lengthComputable && progress(event.loaded / event.total));
    request.addEventListener("load", () => {
      const photo = parsed(request.responseText);
      if (!photo) return failed("");
      if (request.status !== 201) return failed(photo.message);
      changed(photo);
      if (photo.status === "looking") watch(photo.id, fields.place, (seen) => !isOver && changed(seen));
      return undefined;
    });
    request.addEventListener("error", () => failed(""));
    const body = new FormData();
    for (const [name, value] of Object.entries(fields)) body.append(name, value);
    request.send(body);

    return {
      cancel() {
        isOver = true;
        request.abort();
      },
    };
  }

  async function watch(id, place, changed) {
    const until = Date.now() + PATIENCE;
    const { signal } = here;
    for (let pause = FIRST_PAUSE; Date.now() < until; pause = Math.min(LONGEST_PAUSE, pause * 1.25)) {
      await new Promise((resolve) => setTimeout(resolve, pause));
      if (signal.aborted) return undefined;
      const photo = await get(id, place);
      if (photo && photo.status !== "looking") return changed(photo);
    }
    return signal.aborted ? undefined : changed(null);
  }

  async function get(id, place) {
    try {
      const answer = await fetch(`${base}${id}/?place=${place}`, { headers: { Accept: "application/json" }, signal: here.signal });
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  async function post(id, action, fields = {}) {
    try {
      const answer = await fetch(`${base}${id}/${action}/`, { method: "POST", headers: headers(), body: new URLSearchParams(fields) });
      return await answer.json();
    } catch {
      return null;
    }
  }

  // Why a file cannot be used, as far as it can be told here; "" when it may be.
  function unfit(file) {
    const accepted = form.dataset.accept.split(",").map((part) => part.trim().toLowerCase()).filter(Boolean);
    // Some systems give no type for HEIC and the like: then only the server can tell.
    const type = file.type.toLowerCase();
    const ending = `.${file.name.split(".").pop().toLowerCase()}`;
    if (type && accepted.length && !accepted.some((one) => one === type || one === ending || (one.endsWith("/*") && type.startsWith(one.slice(0, -1))))) {
      return `${file.name} cannot be used. Choose a ${form.dataset.kinds}.`;
    }
    if (file.size === 0) return `${file.name} is empty.`;
    const limit = Number(form.dataset.bytes);
    if (limit && file.size > limit) {
      return `${file.name} has ${(file.size / 1e6).toFixed(1)} MB; at most ${form.dataset.megabytes} MB are possible.`;
    }
    return "";
  }

  const remove = (id) => post(id, "delete");
  const keep = (id, isKept) => post(id, "keep", { kept: isKept ? "1" : "0" });

  function parsed(text) {
    try {
      return JSON.parse(text);
    } catch {
      return null;
    }
  }

  return { unfit, send, watch, get, keep, remove, leave };
})();
