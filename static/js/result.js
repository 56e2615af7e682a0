// A result's page: the picture goes to other programs of the device (where it cannot, <html> has
// .shares-no-files), and the field for its name is ready to be typed into.
{
  const example = new File([], "picture.jpg", { type: "image/jpeg" });
  const sharesFiles = navigator.canShare?.({ files: [example] });
  document.documentElement.classList.toggle("shares-no-files", !sharesFiles);

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-share]");
    if (!button) return;
    try {
      const picture = await (await fetch(button.dataset.share)).blob();
      const file = new File([picture], button.dataset.name, { type: picture.type });
      await navigator.share({ files: [file] });
    } catch {
      // Nothing was chosen, or the device could not: the picture can still be downloaded.
    }
  });

  document.addEventListener("toggle", (event) => {
    if (event.target.matches(".rename[open]")) event.target.querySelector("[name=name]").select();
  }, true);
}
