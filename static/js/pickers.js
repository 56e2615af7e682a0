// The two places of a new swap: choose, drop, paste, look, tap a face, take away, exchange.
// The server is the judge; what it says of a photo is shown as soon as it is known.
const form = document.querySelector("[data-pickers]");
const said = form.querySelector("[data-said]");
const places = [...form.querySelectorAll("[data-place]")].map((root) => new Place(root));
const exchange = form.querySelector(".exchange");
const consent = form.querySelector("#id_consent");
const button = form.querySelector("button[type=submit]");
let lastUsed = places[0];

function Place(root) {
  const kind = root.dataset.place;
  const find = (selector) => root.querySelector(selector);
  const input = find("input[type=file]");
  const picture = find(".picture");
  const unseen = find(".unseen");
  const name = find(".name");
  const clear = find(".clear");
  const wrong = find(".wrong");
  const loading = find(".loading");
  const faces = find(".faces");
  const advice = find(".advice");
  const everybody = find(".everybody");
  const keep = find(".keep");
  let url = "";
  let file = input.files[0] ?? null; // a reload may bring the choice back
  let photo = null; // what the server knows of it
  let sending = null;

  const kept = () => root.querySelector("input[type=hidden]");
  const isFilled = () => Boolean(file || kept());
  const isBusy = () => Boolean(sending && !photo);

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
    else if (photo) picture.src = photo.url;
    else if (!kept()) picture.removeAttribute("src");
    picture.hidden = !isFilled();
    root.classList.toggle("filled", isFilled());
    name.textContent = file ? file.name : kept() ? "Kept" : "";
    clear.hidden = !isFilled();
    input.required = !isFilled();
    drawFaces();
    settle();
  }

  function refer(ref) {
    const hidden = kept() ?? root.querySelector(".below").appendChild(document.createElement("input"));
    Object.assign(hidden, { type: "hidden", name: `${kind}_photo`, value: ref });
  }

  // What was sent for this place is not wanted any more.
  function stopSending() {
    sending?.cancel();
    if (sending && photo && !photo.is_kept) photos.remove(photo.id);
    sending = photo = null;
    loading.hidden = true;
  }

  function put(chosen) {
    lastUsed = this;
    stopSending();
    kept()?.remove();
    const reason = chosen && photos.unfit(chosen);
    file = reason ? null : chosen;
    hand(input, file);
    refuse(reason ?? "");
    show();
    if (!file) return;
    said.textContent = `${root.dataset.title}: ${file.name} chosen.`;
    send({ image: file, place: kind });
  }

  // A photo that the server has: sent ahead, kept, or that of an earlier swap.
  async function use(ref) {
    stopSending();
    file = null;
    hand(input, null);
    refuse("");
    refer(ref);
    if (ref.startsWith("swap.")) {
      send({ copy: ref, place: kind });
      return;
    }
    changed(await photos.get(ref, kind));
    show();
    if (photo?.status === "looking") photos.watch(ref, kind, (seen) => photo?.id === ref && changed(seen));
  }

  function send(fields) {
    const bar = loading.querySelector("progress");
    loading.hidden = !file;
    loading.querySelector("span").textContent = "Sending…";
    bar.value = 0;
    sending = photos.send(fields, {
      progress: (share) => { bar.value = share * 100; },
      changed,
      failed(message) {
        sending = null;
        loading.hidden = true;
        if (message) {
          file = null;
          kept()?.remove();
          hand(input, null);
          show();
          refuse(message);
          said.textContent = message;
        } // else the form sends the file itself
        release();
      },
    });
  }

  function changed(seen) {
    const isFirst = !photo;
    photo = seen ?? photo;
    if (!photo) return;
    refer(photo.id);
    hand(input, null); // it is there already: the form need not send it again
    loading.hidden = photo.status !== "looking" || !seen;
    loading.classList.toggle("looking", photo.status === "looking");
    loading.querySelector("span").textContent = "Looking for faces…";
    if (!file || !unseen.hidden) picture.src = photo.url;
    if (photo.status === "refused") refuse(photo.message);
    drawFaces();
    settle();
    if (photo.status !== "looking" && photo.message) said.textContent = `${root.dataset.title}: ${photo.message}`;
    if (isFirst) release();
  }

  function drawFaces() {
    const found = photo?.faces ?? [];
    // A hosted provider cannot be told which face of the target is meant.
    const isChoice = found.length > 1 && !(kind === "target" && "hosted" in form.dataset);
    faces.hidden = !found.length || !isFilled();
    faces.replaceChildren();
    advise(0);
    if (keep) {
      keep.hidden = !photo || photo.status !== "ready" || !found.length;
      keep.setAttribute("aria-pressed", String(Boolean(photo?.is_kept)));
      keep.querySelector("span").textContent = photo?.is_kept ? "Kept for next time" : "Keep this face";
    }
    if (everybody) {
      everybody.hidden = !isChoice;
      everybody.firstElementChild.disabled = !isChoice;
      everybody.firstElementChild.checked = false;
      everybody.lastElementChild.textContent = `Put it on all ${found.length} of them`;
    }
    if (faces.hidden) return;
    const board = faces.appendChild(document.createElement("div"));
    board.className = "board";
    board.style.setProperty("--ratio", String(photo.width / photo.height));
    if (isChoice) {
      board.setAttribute("role", "radiogroup");
      board.setAttribute("aria-label", photo.message);
    }
    found.forEach((face, number) => board.append(box(face, number, isChoice)));
  }

  function box(face, number, isChoice) {
    const element = document.createElement(isChoice ? "label" : "span");
    element.className = "face";
    element.dataset.number = number + 1;
    for (const [side, value] of Object.entries({ left: face.x, top: face.y, width: face.width, height: face.height })) {
      element.style.setProperty(side, `${value * 100}%`);
    }
    if (!isChoice) return element;
    const radio = document.createElement("input");
    const point = [face.x + face.width / 2, face.y + face.height / 2].map((value) => value.toFixed(4)).join(",");
    Object.assign(radio, { type: "radio", name: `${kind}_face`, value: point, checked: number === 0 });
    radio.setAttribute("aria-label", `Face ${number + 1} of ${photo.faces.length}. ${photo.says[number]}`);
    radio.addEventListener("change", () => {
      if (everybody) everybody.firstElementChild.checked = false;
      root.classList.remove("all");
      advise(number);
    });
    element.append(radio);
    return element;
  }

  function advise(number) {
    const text = photo?.faces.length ? [photo.message, photo.says[number]].filter(Boolean).join(" ") : "";
    advice.hidden = !text;
    advice.lastElementChild.textContent = text;
  }

  everybody?.addEventListener("change", () => root.classList.toggle("all", everybody.firstElementChild.checked));
  keep?.addEventListener("click", async () => {
    const answer = photo && await photos.keep(photo.id, !photo.is_kept);
    if (!answer) return;
    if (answer.id) Object.assign(photo, { is_kept: answer.is_kept });
    else refuse(answer.message);
    drawFaces();
    said.textContent = keep.textContent;
  });
  picture.addEventListener("error", () => {
    if (!file) return;
    if (photo) {
      picture.src = photo.url;
      return;
    }
    picture.hidden = true;
    unseen.hidden = false;
  });
  picture.addEventListener("load", () => { picture.hidden = false; unseen.hidden = true; });
  input.addEventListener("focus", () => { lastUsed = this; });
  input.addEventListener("change", () => {
    // Some browsers empty the input when the dialog is cancelled: keep what was there.
    if (input.files[0]) this.put(input.files[0]);
    else if (file && !photo) hand(input, file);
  });
  const empty = () => {
    this.put(null);
    said.textContent = `${root.dataset.title} removed.`;
    input.focus();
  };
  clear.addEventListener("click", empty);
  loading.querySelector(".cancel").addEventListener("click", empty);

  Object.assign(this, { root, input, put, use, show, miss, isFilled, isBusy, kept, state: () => ({ file, photo }) });
  // The picture of the other place: it is there already, so it is neither sent nor thrown away.
  this.take = ({ file: theirs, photo: seen }) => {
    sending = null;
    kept()?.remove();
    file = theirs;
    hand(input, seen ? null : file);
    refuse("");
    photo = seen;
    if (seen) refer(seen.id);
    show();
    if (file && !seen) send({ image: file, place: kind });
    if (seen) photos.get(seen.id, kind).then((again) => again && photo === seen && changed(again)); // its words
  };
}

function hand(input, file) {
  const transfer = new DataTransfer();
  if (file) transfer.items.add(file);
  input.files = transfer.files;
}

function settle() {
  exchange.disabled = !places.every((place) => place.isFilled() && !place.isBusy());
  form.dispatchEvent(new Event("settled"));
}
const isBusy = () => [...places, ...extras].some((each) => each.isBusy());

exchange.addEventListener("click", () => {
  const [first, second] = places.map((place) => place.state());
  places[0].take(second);
  places[1].take(first);
  said.textContent = "The two pictures are exchanged.";
});

// One picture goes where it was dropped, or into the first place that is free; two fill both.
function give(files, place) {
  const chosen = [...files].slice(0, places.length);
  if (chosen.length === places.length) places.forEach((each, number) => each.put(chosen[number]));
  else if (chosen.length) (place ?? places.find((each) => !each.isFilled()) ?? lastUsed).put(chosen[0]);
}

document.addEventListener("paste", (event) => {
  const files = event.clipboardData?.files ?? [];
  if (!files.length) return;
  event.preventDefault();
  give(files);
});
const placeAt = (event) => places.find((place) => place.root.contains(event.target));
addEventListener("dragover", (event) => {
  event.preventDefault();
  const here = placeAt(event) ?? places.find((place) => !place.isFilled()) ?? lastUsed;
  for (const place of places) place.root.classList.toggle("over", place === here);
});
addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) for (const place of places) place.root.classList.remove("over");
});
addEventListener("drop", (event) => {
  event.preventDefault(); // a picture dropped beside a place must not replace the page
  for (const place of places) place.root.classList.remove("over");
  give(event.dataTransfer.files, placeAt(event));
});
for (const link of form.querySelectorAll("[data-face]")) {
  link.addEventListener("click", (event) => {
    event.preventDefault();
    places[0].use(link.dataset.face);
    said.textContent = "The face that you keep is chosen.";
  });
}

function refuseConsent(text) {
  const wrong = document.getElementById("consent-wrong");
  wrong.hidden = !text;
  wrong.querySelector("span").textContent = text;
  consent.closest("label").classList.toggle("refused", Boolean(text));
}
consent?.addEventListener("change", () => { if (consent.checked) refuseConsent(""); });

form.noValidate = true; // what is missing is said in the place where it is missing
form.addEventListener("submit", (event) => {
  if (form.dataset.sent === "yes") return event.preventDefault();
  const missing = places.filter((place) => !place.isFilled());
  const hasConsent = !consent || consent.checked;
  for (const place of missing) place.miss();
  if (!hasConsent) refuseConsent("Please confirm this first.");
  if (missing.length || !hasConsent) {
    event.preventDefault();
    (missing[0]?.input ?? consent).focus();
    return undefined;
  }
  button.dataset.idle ??= button.textContent;
  button.textContent = button.dataset.busy;
  button.classList.add("busy");
  button.setAttribute("aria-disabled", "true");
  said.textContent = button.dataset.busy;
  form.dataset.sent = "yes";
  if (isBusy()) {
    event.preventDefault();
    form.dataset.sent = "soon"; // as soon as the pictures are there
  } else photos.leave();
  return undefined;
});

function release() {
  if (form.dataset.sent !== "soon" || isBusy()) return;
  if (places.every((place) => place.isFilled())) {
    form.dataset.sent = "";
    form.requestSubmit();
  } else rest();
}

function rest() {
  delete form.dataset.sent;
  button.textContent = button.dataset.idle ?? button.textContent;
  button.classList.remove("busy");
  button.removeAttribute("aria-disabled");
  said.textContent = "";
}

// Back from another page: this one may come out of the browser's memory as it was left.
addEventListener("pageshow", (event) => { if (event.persisted && form.dataset.sent) rest(); });

for (const place of places) {
  const ref = place.kept()?.value;
  if (ref) place.use(ref);
  else if (place.state().file) place.put(place.state().file);
}
settle();
