// Selecting pictures of the wall: "Select" shows a box on each, and what can be done with them.
const MOST = 100; // at once, as the server has it
const bar = document.getElementById("selection");
const begin = document.querySelector("[data-pick=begin]");
const boxes = () => [...document.querySelectorAll("#cards .pick input")];
const isSelecting = () => document.body.classList.contains("selecting");

function tell() {
  const count = boxes().filter((box) => box.checked).length;
  const words = count > MOST ? `${count} selected, and ${MOST} at once at most` : `${count} selected`;
  document.getElementById("picked").textContent = count ? words : "Choose pictures";
  for (const button of bar.querySelectorAll("[type=submit]")) button.disabled = !count || count > MOST;
}

function select(isOn) {
  document.body.classList.toggle("selecting", isOn);
  begin.setAttribute("aria-pressed", isOn);
  if (!isOn) for (const box of boxes()) box.checked = false;
  tell();
}

function done() {
  select(false);
  begin.focus();
}

if (bar) {
  document.addEventListener("click", (event) => {
    const pick = event.target.closest("[data-pick]")?.dataset.pick;
    if (pick === "begin") select(!isSelecting());
    if (pick === "done") done();
    if (pick === "all") {
      for (const box of boxes().slice(0, MOST)) box.checked = true;
      tell();
    }
  });
  document.addEventListener("change", (event) => event.target.closest(".pick") && tell());
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isSelecting()) done();
  });
  // A card that has changed stays selected.
  document.addEventListener("htmx:oobBeforeSwap", (event) => {
    const isChecked = event.detail.target.querySelector(".pick input")?.checked;
    const box = event.detail.fragment.querySelector(".pick input");
    if (box && event.detail.target.id !== "cards") box.toggleAttribute("checked", isChecked ?? false);
  });
  document.addEventListener("htmx:load", tell);
  // Back from the question whether to delete them: the browser may show what was selected.
  addEventListener("pageshow", () => select(boxes().some((box) => box.checked)));
}
