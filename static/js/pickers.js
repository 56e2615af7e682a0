// The two places of a new swap: choose, drop, paste, look, take away, exchange. The server is the judge.
const form = document.querySelector("[data-pickers]");
const said = form.querySelector("[data-said]");
const accepted = form.dataset.accept.split(",").map((part) => part.trim().toLowerCase()).filter(Boolean);
const places = [...form.querySelectorAll("[data-place]")].map((root) => new Place(root));
const exchange = form.querySelector(".exchange");
const consent = form.querySelector("#id_consent");
const button = form.querySelector("button[type=submit]");
let lastUsed = places[0];

function Place(root) {
  const find = (selector) => root.querySelector(selector);
  const input = find("input[type=file]");
  const picture = find(".picture");
  const unseen = find(".unseen");
  const name = find(".name");
  const clear = find(".clear");
  const wrong = find(".wrong");
  let url = "";
  let file = input.files[0] ?? null; // a reload may bring the choice back

  const kept = () => root.querySelector("input[type=hidden]");
  const isFilled = () => Boolean(file || kept());

  function refuse(text) {
    wrong.hidden = !text;
    wrong.querySelector("span").textContent = text;
    root.classList.toggle("refused", Boolean(text));
    if (text) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  // What was wrong with the last choice says more than that there is none.
  const miss = () => wrong.hidden && refuse("Choose a picture.");

  function show() {
    URL.revokeObjectURL(url);
    url = file ? URL.createObjectURL(file) : "";
    unseen.hidden = true;
    if (file) picture.src = url;
    else if (!kept()) picture.removeAttribute("src");
    picture.hidden = !isFilled();
    root.classList.toggle("filled", isFilled());
    name.textContent = file ? file.name : kept() ? "Kept" : "";
    clear.hidden = !isFilled();
    input.required = !isFilled();
    settle();
  }

  function put(chosen) {
    lastUsed = this;
    const reason = chosen && unfit(chosen);
    if (reason) {
      file = null;
      input.value = "";
      show();
      refuse(reason);
      return;
    }
    if (chosen) kept()?.remove();
    file = chosen;
    hand(input, file);
    refuse("");
    show();
    if (file) said.textContent = `${root.dataset.title}: ${file.name} chosen.`;
  }

  picture.addEventListener("error", () => {
    if (!file) return;
    picture.hidden = true;
    unseen.hidden = false;
  });
  picture.addEventListener("load", () => { picture.hidden = false; unseen.hidden = true; });
  input.addEventListener("focus", () => { lastUsed = this; });
  input.addEventListener("change", () => {
    // Some browsers empty the input when the dialog is cancelled: keep what was there.
    if (input.files[0]) this.put(input.files[0]);
    else if (file) hand(input, file);
  });
  clear.addEventListener("click", () => {
    kept()?.remove();
    this.put(null);
    said.textContent = `${root.dataset.title} removed.`;
    input.focus();
  });
  root.addEventListener("dragover", (event) => { event.preventDefault(); root.classList.add("over"); });
  root.addEventListener("dragleave", (event) => { if (!root.contains(event.relatedTarget)) root.classList.remove("over"); });
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    root.classList.remove("over");
    this.put(event.dataTransfer.files[0] ?? null);
  });

  Object.assign(this, { root, input, put, show, miss, isFilled, kept, file: () => file });
}

function hand(input, file) {
  const transfer = new DataTransfer();
  if (file) transfer.items.add(file);
  input.files = transfer.files;
}

function unfit(file) {
  // Some systems give no type for HEIC and the like: then only the server can tell.
  const type = file.type.toLowerCase();
  const ending = `.${file.name.split(".").pop().toLowerCase()}`;
  if (type && accepted.length && !accepted.some((one) => one === type || one === ending || (one.endsWith("/*") && type.startsWith(one.slice(0, -1))))) {
    return `${file.name} cannot be used. Accepted are ${form.dataset.kinds}.`;
  }
  if (file.size === 0) return `${file.name} is empty.`;
  const limit = Number(form.dataset.bytes);
  if (limit && file.size > limit) {
    return `${file.name} has ${(file.size / 1e6).toFixed(1)} MB; at most ${form.dataset.megabytes} MB are possible.`;
  }
  return "";
}

function settle() {
  exchange.disabled = !places.every((place) => place.file());
}

exchange.addEventListener("click", () => {
  const [first, second] = places.map((place) => place.file());
  places[0].put(second);
  places[1].put(first);
  said.textContent = "The two pictures are exchanged.";
});

document.addEventListener("paste", (event) => {
  const file = [...(event.clipboardData?.files ?? [])][0];
  if (!file) return;
  event.preventDefault();
  (places.find((place) => !place.isFilled()) ?? lastUsed).put(file);
});
// A picture dropped beside a place must not replace the page.
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => event.preventDefault());

function refuseConsent(text) {
  const wrong = document.getElementById("consent-wrong");
  wrong.hidden = !text;
  wrong.querySelector("span").textContent = text;
  consent.closest("label").classList.toggle("refused", Boolean(text));
}
consent.addEventListener("change", () => { if (consent.checked) refuseConsent(""); });

form.noValidate = true; // what is missing is said in the place where it is missing
form.addEventListener("submit", (event) => {
  if (form.dataset.sent) return event.preventDefault();
  const missing = places.filter((place) => !place.isFilled());
  for (const place of missing) place.miss();
  if (!consent.checked) refuseConsent("Please confirm this first.");
  if (missing.length || !consent.checked) {
    event.preventDefault();
    (missing[0]?.input ?? consent).focus();
    return undefined;
  }
  form.dataset.sent = "yes";
  button.dataset.idle = button.textContent;
  button.textContent = button.dataset.busy;
  button.classList.add("busy");
  button.setAttribute("aria-disabled", "true");
  said.textContent = button.dataset.busy;
  return undefined;
});

// Back from the history: the page may come out of the browser's memory as it was left.
addEventListener("pageshow", (event) => {
  if (event.persisted && form.dataset.sent) {
    delete form.dataset.sent;
    button.textContent = button.dataset.idle;
    button.classList.remove("busy");
    button.removeAttribute("aria-disabled");
    said.textContent = "";
  }
});

for (const place of places) if (place.file()) place.show();
settle();
