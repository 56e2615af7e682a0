// Back and forward take a page out of the browser's memory as it was. It must not come back for
// another account than it was loaded for, nor when what it shows is gone: then it is loaded anew.
const account = document.documentElement.dataset.account;
localStorage.setItem("account", account);

async function isStillThere() {
  const answer = await fetch(location.href, { method: "HEAD" });
  return answer.ok && !answer.redirected;
}

addEventListener("pageshow", async (event) => {
  if (!event.persisted) return;
  const isOthers = localStorage.getItem("account") !== account;
  document.documentElement.hidden = isOthers;
  if (isOthers || !(await isStillThere())) location.reload();
});
