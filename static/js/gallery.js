// The wall of pictures: a fresh result fades in once it is there; "Load more" hands the focus on,
// if it has it: the next page also comes by itself, when the end is near.
function hold(figure) {
  const picture = figure.querySelector(".result");
  if (!picture || picture.complete) return;
  figure.classList.add("loading");
  const show = () => figure.classList.remove("loading");
  picture.addEventListener("load", show, { once: true });
  picture.addEventListener("error", show, { once: true });
}

document.addEventListener("htmx:oobAfterSwap", (event) => {
  const card = document.getElementById(event.detail.target?.id);
  card?.querySelectorAll(".fresh").forEach(hold);
});

document.addEventListener("htmx:beforeSwap", (event) => {
  if (event.detail.target?.id !== "more") return;
  if (!event.detail.target.contains(document.activeElement)) return;
  const last = event.detail.target.previousElementSibling;
  document.addEventListener("htmx:afterSettle", () => {
    last?.nextElementSibling?.querySelector("a")?.focus({ preventScroll: true });
  }, { once: true });
});
