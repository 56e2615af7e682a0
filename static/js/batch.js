// One face and many photos: chosen, dropped or pasted at once, sent one after the other, taken away.
// The server is the judge; without scripts the form sends the files itself.
const form = document.querySelector("[data-batch]");
const said = form.querySelector("[data-said]");
const button = form.querySelector("[data-submit]");
const budget = form.querySelector("[data-budget]");
const consent = form.querySelector("#id_consent");
const left = Number(form.dataset.left);
const idle = { button: button.textContent, budget: budget?.textContent };
const waiting = []; // photos that are to be sent; one is on its way at a time
let sending = null;
let isSubmitting = false;

const [face, many] = [...form.querySelectorAll("[data-tray]")].map((root) => new Tray(root));

function Tray(root) {
  const place = root.dataset.tray;
  const max = Number(root.dataset.max);
  const list = root.querySelector(".shots");
  const add = list.querySelector(".add");
  const input = root.querySelector("input[type=file]");
  const wrong = root.querySelector(".wrong");
  const template = root.querySelector("template");
  const count = root.querySelector("[data-count]");
  const shots = () => [...list.querySelectorAll(".shot")];

  function refuse(texts) {
    wrong.hidden = !texts.length;
    wrong.querySelector("span").textContent = texts.join(" ");
    root.classList.toggle("refused", texts.length > 0);
    if (texts.length) input.setAttribute("aria-invalid", "true");
    else input.removeAttribute("aria-invalid");
  }

  function put(files) {
    const reasons = [];
    let room = max === 1 ? 1 : max - shots().length;
    for (const file of files) {
      const reason = photos.unfit(file);
      if (reason) reasons.push(reason);
      else if (room < 1) break;
      else {
        room -= 1;
        if (max === 1) shots().forEach(remove);
        put_one(file);
      }
    }
    const fit = files.length - reasons.length;
    if (max > 1 && fit > 1) said.textContent = `${shots().length} photos chosen.`;
    if (max > 1 && shots().length === max && room < 1 && fit > max) reasons.push(`${max} photos fit into one batch.`);
    refuse(reasons);
    settle();
  }

  function put_one(file) {
    const shot = template.content.firstElementChild.cloneNode(true);
    const picture = shot.querySelector(".picture");
    const url = URL.createObjectURL(file);
    picture.src = url;
    picture.alt = file.name;
    shot.querySelector(".remove").setAttribute("aria-label", `Remove ${file.name}`);
    picture.addEventListener("error", () => unseen(shot, true));
    picture.addEventListener("load", () => unseen(shot, false));
    list.insertBefore(shot, add);
    shot.classList.add("busy");
    waiting.push({ shot, place, file, url });
    next();
  }

  function remove(shot) {
    const at = waiting.findIndex((one) => one.shot === shot);
    if (at >= 0) waiting.splice(at, 1);
    shot.cancel?.();
    if (shot.photo) photos.remove(shot.photo);
    shot.remove();
    if (sending?.shot === shot) { sending = null; next(); }
    drawFaces();
  }

  list.addEventListener("click", (event) => {
    const shot = event.target.closest(".remove")?.closest(".shot");
    if (!shot) return;
    const neighbour = shot.nextElementSibling?.querySelector(".remove") ?? input;
    remove(shot);
    refuse([]);
    said.textContent = max === 1 ? "Face removed." : `Photo removed. ${shots().length} left.`;
    neighbour.focus();
    settle();
  });
  input.addEventListener("change", () => {
    put([...input.files]);
    input.value = ""; // they are sent from here, not with the form
  });
  root.addEventListener("dragover", (event) => { event.preventDefault(); root.classList.add("over"); });
  root.addEventListener("dragleave", (event) => { if (!root.contains(event.relatedTarget)) root.classList.remove("over"); });
  root.addEventListener("drop", (event) => {
    event.preventDefault();
    event.stopPropagation();
    root.classList.remove("over");
    put([...event.dataTransfer.files]);
  });

  function show() {
    add.hidden = shots().length >= max;
    if (count) count.textContent = `${shots().length} of ${max}`;
  }

  Object.assign(this, { root, input, put, refuse, show, shots, isFilled: () => shots().length > 0 });
}

function unseen(shot, isUnseen) {
  shot.querySelector(".picture").hidden = isUnseen;
  shot.querySelector(".unseen").hidden = !isUnseen;
}

// Sends the next photo. The face goes first, whenever it was chosen.
function next() {
  if (sending) return;
  const at = waiting.findIndex((one) => one.place === "source");
  sending = waiting.splice(Math.max(0, at), 1)[0] ?? null;
  if (!sending) return arrived();
  const { shot, place, file, url } = sending;
  const bar = shot.querySelector("progress");
  const value = shot.querySelector("input");
  bar.hidden = false;
  const done = () => {
    bar.hidden = true;
    if (sending?.shot === shot) { sending = null; next(); }
    settle();
  };
  const job = photos.send({ image: file, place }, {
    progress: (share) => { bar.value = 100 * share; },
    changed(photo) {
      if (!photo) return;
      if (!value.value) {
        value.value = shot.photo = photo.id;
        value.disabled = false;
        shot.classList.remove("busy");
        shot.querySelector(".picture").src = photo.url; // smaller than the file
        URL.revokeObjectURL(url);
        done();
      }
      shot.faces = photo.faces;
      const isCrowd = place === "target" && photo.faces.length > 1; // of a batch nobody chooses there
      note(shot, isCrowd ? `${photo.faces.length} faces: the largest is replaced.` : photo.message, photo.status === "refused");
      if (place === "source") drawFaces();
    },
    failed(message) {
      shot.classList.remove("busy");
      note(shot, message || "It could not be sent. Take it away and choose it again.", true);
      done();
    },
  });
  shot.cancel = () => job.cancel();
  return undefined;
}

function note(shot, text, isWrong) {
  const place = shot.querySelector(".note-on");
  place.hidden = !text;
  place.textContent = text ?? "";
  shot.classList.toggle("refused", isWrong);
  if (isWrong) said.textContent = text;
}

// Several people in the face photo: tap the one who is meant.
function drawFaces() {
  const chosen = form.querySelector("[name=source_face]");
  const shot = face.shots()[0];
  const found = shot?.faces ?? [];
  chosen.value = "";
  if (!shot) return;
  const boxes = shot.querySelector(".people");
  boxes.hidden = found.length < 2;
  boxes.replaceChildren(...found.map((one, number) => {
    const box = document.createElement("button");
    box.type = "button";
    box.setAttribute("aria-label", `Face ${number + 1} of ${found.length}`);
    box.setAttribute("aria-pressed", String(number === 0));
    Object.assign(box.style, { left: `${100 * one.x}%`, top: `${100 * one.y}%`, width: `${100 * one.width}%`, height: `${100 * one.height}%` });
    box.addEventListener("click", () => {
      for (const other of boxes.children) other.setAttribute("aria-pressed", String(other === box));
      chosen.value = `${(one.x + one.width / 2).toFixed(4)},${(one.y + one.height / 2).toFixed(4)}`;
    });
    return box;
  }));
  if (found.length > 1) note(shot, "Tap the face to use.", false);
}

function settle() {
  face.show();
  many.show();
  const number = many.shots().length;
  if (!isSubmitting) button.textContent = number > 1 ? `Swap ${number} photos` : number ? "Swap 1 photo" : idle.button;
  if (!budget) return;
  const over = number - left;
  budget.textContent = over > 0 ? `You have ${left} swap${left === 1 ? "" : "s"} left. Take ${over} photo${over === 1 ? "" : "s"} away: with more nothing is started.` : idle.budget;
  budget.classList.toggle("over", over > 0);
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
  if (isSubmitting && !sending) return undefined;
  const isAgreed = !consent || consent.checked;
  if (!face.isFilled()) face.refuse(["Choose a face."]);
  if (!many.isFilled()) many.refuse(["Choose at least one photo."]);
  if (!isAgreed) refuseConsent("Please confirm this first.");
  if (!face.isFilled() || !many.isFilled() || !isAgreed || many.shots().length > left) {
    event.preventDefault();
    if (!face.isFilled()) face.input.focus();
    else if (!many.isFilled()) many.input.focus();
    else if (!isAgreed) consent.focus();
    else said.textContent = budget.textContent;
    return undefined;
  }
  if (isSubmitting || sending) event.preventDefault(); // it goes on once all are there
  isSubmitting = true;
  button.textContent = sending ? "Sending the photos…" : button.dataset.busy;
  button.classList.add("busy");
  button.setAttribute("aria-disabled", "true");
  said.textContent = button.textContent;
  return undefined;
});

// All photos have been sent; those that cannot be used say so, and are left out.
function arrived() {
  if (!isSubmitting) return;
  isSubmitting = false;
  button.classList.remove("busy");
  button.removeAttribute("aria-disabled");
  settle();
  if (!form.querySelector(".shot.refused")) form.requestSubmit();
}

document.addEventListener("paste", (event) => {
  const files = [...(event.clipboardData?.files ?? [])];
  if (!files.length) return;
  event.preventDefault();
  if (face.isFilled() || files.length > 1) many.put(files);
  else face.put(files);
});
// Pictures dropped beside the places must not replace the page.
addEventListener("dragover", (event) => event.preventDefault());
addEventListener("drop", (event) => {
  event.preventDefault();
  many.put([...event.dataTransfer.files]);
});
// Back from the batch: the page may come out of the browser's memory as it was left.
addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });

settle();
