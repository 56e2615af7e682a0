// Takes the photo of a face with the camera of this device. Nothing leaves it before the shot.
(() => {
  const dialog = document.querySelector("dialog.camera");
  const opener = document.querySelector("[data-place=source] .shoot");
  if (!dialog || !opener || !navigator.mediaDevices?.getUserMedia) return;
  const video = dialog.querySelector("video");
  const shutter = dialog.querySelector(".shutter");
  const problem = dialog.querySelector(".wrong");
  const WORDS = {
    NotAllowedError: "The camera may not be used. Allow it in the settings of this page in your browser, and try again.",
    NotFoundError: "There is no camera on this device. Choose a file instead.",
    NotReadableError: "The camera is used by another program. Close that one, and try again.",
  };
  opener.hidden = false;

  function say(text) {
    problem.hidden = !text;
    problem.querySelector("span").textContent = text;
  }

  async function open() {
    say("");
    shutter.disabled = true;
    dialog.showModal();
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 1280 } } });
      if (!dialog.open) return stop(stream);
      video.srcObject = stream;
      await video.play();
      shutter.disabled = false;
    } catch (error) {
      say(WORDS[error.name] ?? "The camera could not be started. Choose a file instead.");
    }
    return undefined;
  }

  function stop(stream) {
    for (const track of stream?.getTracks() ?? []) track.stop();
  }

  function shoot() {
    const canvas = document.createElement("canvas");
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0); // as others see it: only the preview is mirrored
    canvas.toBlob((blob) => {
      dialog.close();
      places[0].put(new File([blob], "Camera.jpg", { type: "image/jpeg" }));
    }, "image/jpeg", 0.95);
  }

  opener.addEventListener("click", open);
  shutter.addEventListener("click", shoot);
  dialog.querySelector(".button.quiet").addEventListener("click", () => dialog.close());
  dialog.addEventListener("close", () => {
    stop(video.srcObject);
    video.srcObject = null;
    opener.focus();
  });
})();
