"""The script that keeps TensorBoard's page in the browser fresh."""

SCRIPT = """\
// Loaded by TensorBoard's page; see hparams_lab/dashboard/serve/live.py.
{
  const PERIOD_MS = 2000;
  const PAUSE_MS = 5000;
  const {src, dataset} = document.currentScript;
  const stateUrl = new URL("state", src);
  let content = null;  // what the page shows is not known: TensorBoard may still be reading
  let reloadedAt = Date.now();

  // Only the HParams tab keeps the columns that the page was loaded with.
  const showsTable = () => location.hash.startsWith("#hparams");

  const look = async () => {
    if (document.hidden) return;
    let state;
    try {
      state = await (await fetch(stateUrl, {cache: "no-store"})).json();
    } catch {
      return;  // the dashboard has ended
    }
    if (state.columns !== dataset.columns && showsTable()) {
      location.reload();
    } else if (state.content !== content && Date.now() >= reloadedAt + PAUSE_MS) {
      content = state.content;
      reloadedAt = Date.now();
      document.querySelector("app-header-reload button")?.click();
    }
  };

  const follow = async () => {
    await look();
    setTimeout(follow, PERIOD_MS);
  };
  follow();
  addEventListener("hashchange", look);
}
"""
