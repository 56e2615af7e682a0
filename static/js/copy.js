// Buttons that copy: data-copy="#id" names the element whose text (or value) is taken.
// data-copy-picture="url" takes a PNG; where browsers cannot, <html> has .copies-no-pictures.
// The button's first span, or the button itself, says "Copied" for two seconds; so does a voice.
{
  const voice = document.createElement("p");
  voice.className = "visually-hidden";
  voice.setAttribute("role", "status");
  document.body.append(voice);

  // Without https there is no clipboard: the old way, by a selection.
  function copyBySelection(text) {
    const field = document.createElement("textarea");
    field.className = "visually-hidden";
    field.value = text;
    document.body.append(field);
    const focused = document.activeElement;
    field.select();
    const isCopied = document.execCommand("copy");
    field.remove();
    focused?.focus();
    if (!isCopied) throw new Error("not copied");
  }

  async function copyText(text) {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyBySelection(text);
    }
  }

  async function fetchPicture(url) {
    const answer = await fetch(url);
    if (!answer.ok) throw new Error("not here");
    return answer.blob();
  }

  const copiesPictures = window.ClipboardItem && navigator.clipboard?.write;
  document.documentElement.classList.toggle("copies-no-pictures", !copiesPictures);

  function say(button, word) {
    const label = button.querySelector("span") ?? button;
    button.dataset.idle ??= label.textContent;
    label.textContent = word;
    voice.textContent = word;
    clearTimeout(Number(button.dataset.timer));
    button.dataset.timer = setTimeout(() => {
      label.textContent = button.dataset.idle;
      voice.textContent = "";
      delete button.dataset.copied;
    }, 2000);
  }

  async function tryToCopy(button, copying) {
    try {
      await copying;
      button.dataset.copied = "";
      say(button, "Copied");
      return true;
    } catch {
      say(button, "Not copied");
      return false;
    }
  }

  document.addEventListener("click", async (event) => {
    const button = event.target.closest?.("[data-copy], [data-copy-picture]");
    if (!button) return;
    const { copy, copyPicture } = button.dataset;
    if (copyPicture) {
      const picture = new ClipboardItem({ "image/png": fetchPicture(copyPicture) });
      tryToCopy(button, navigator.clipboard.write([picture]));
      return;
    }
    const from = document.querySelector(copy);
    if (from && !(await tryToCopy(button, copyText((from.value ?? from.textContent).trim())))) {
      getSelection().selectAllChildren(from);
    }
  });
}
