// Trying without an account: a file of one's own takes the place of a sample, and the other way round.
const form = document.querySelector("[data-try]");
const button = form.querySelector("button[type=submit]");

for (const choice of form.querySelectorAll("[data-choice]")) {
  const find = (selector) => choice.querySelector(selector);
  const radios = [...choice.querySelectorAll("input[type=radio]")];
  const own = find(".own");
  const input = find("input[type=file]");
  const picture = find(".own-picture img");
  const name = find(".own-name");
  const clear = find(".clear");
  const idle = own.classList.contains("filled") ? "Choose a file" : name.textContent;
  let url = "";

  const empty = () => {
    input.value = "";
    find("input[type=hidden]")?.remove();
    show();
  };

  function show() {
    const file = input.files[0];
    URL.revokeObjectURL(url);
    url = file ? URL.createObjectURL(file) : "";
    picture.hidden = !file;
    if (file) picture.src = url;
    name.textContent = file ? file.name : idle;
    clear.hidden = !file;
    own.classList.toggle("filled", Boolean(file));
    own.classList.remove("refused");
    input.removeAttribute("aria-invalid");
    find(".wrong").hidden = true;
  }

  picture.addEventListener("error", () => { picture.hidden = true; }); // HEIC, in most browsers
  input.addEventListener("change", () => {
    if (!input.files[0]) return;
    find("input[type=hidden]")?.remove();
    for (const radio of radios) radio.checked = false;
    show();
  });
  clear.addEventListener("click", () => {
    empty();
    radios[0].checked = true;
    radios[0].focus();
  });
  for (const radio of radios) radio.addEventListener("change", empty);
  if (input.files[0]) show(); // a reload may bring the choice back
}

form.addEventListener("submit", () => {
  button.dataset.idle ??= button.textContent;
  button.textContent = button.dataset.busy;
  button.classList.add("busy");
});
// Back from the result: the page may come out of the browser's memory as it was left.
addEventListener("pageshow", () => {
  if (button.dataset.idle) button.textContent = button.dataset.idle;
  button.classList.remove("busy");
});
