// Keeps a page as it is in the store. One tab of the browser holds the one stream of hints
// and passes them on; each tab then asks for its own part of the page, and whether it is
// another one than it has. Where tabs cannot agree on who holds the stream, or it falls
// silent, each asks every five seconds. Without this script the page is as it was loaded.
(() => {
  "use strict";
  const live = document.getElementById("live");
  const light = document.getElementById("light");
  if (!live || !("live" in live.dataset)) return;

  const NAME = "proveout-hints";
  const POLL = 5000;
  const SILENT = 15000; // three times as long as the server is ever silent
  const PACE = 1000;
  let tag = "";
  let heard = 0;
  let asked = 0;
  let timer = 0;
  let isDue = false;

  const show = (state, word) => {
    light.hidden = false;
    light.dataset.state = state;
    light.lastElementChild.textContent = word;
  };

  // What somebody has begun to fill in, or has selected to copy, stays as it is.
  const isBusy = () => {
    const at = document.activeElement;
    const writes = at && live.contains(at) && at.matches("textarea, input, select");
    return writes || (!getSelection().isCollapsed && live.contains(getSelection().anchorNode));
  };

  const ask = async () => {
    timer = 0;
    if (document.hidden || isBusy()) {
      isDue = true;
      return;
    }
    isDue = false;
    asked = Date.now();
    const headers = { "X-Fragment": "live" };
    if (tag) headers["If-None-Match"] = tag;
    let answer;
    try {
      answer = await fetch(location.href, { headers, cache: "no-store", redirect: "manual" });
    } catch {
      show("lost", "no connection");
      return;
    }
    if (answer.type === "opaqueredirect") {
      location.reload(); // the session has ended: to the door
    } else if (answer.status === 304) {
      show("live", heard ? "live" : "every 5 s");
    } else if (answer.ok) {
      tag = answer.headers.get("ETag") || "";
      const text = await answer.text();
      if (isBusy()) {
        tag = "";
        isDue = true;
        return;
      }
      await htmx.swap({ sourceElement: document.body, target: "#live", swap: "outerMorph", text });
      show("live", heard ? "live" : "every 5 s");
    } else if (answer.status >= 500 || answer.status === 429) {
      show("lost", "not answered");
    } // else the page itself says what is wrong with what was asked
  };

  const hinted = () => {
    if (!timer) timer = setTimeout(ask, Math.max(0, asked + PACE - Date.now()));
  };

  const hear = () => {
    heard = Date.now();
    hinted();
  };

  document.addEventListener("visibilitychange", () => isDue && hinted());
  document.addEventListener("focusout", () => isDue && hinted());
  setInterval(() => {
    if (Date.now() - heard > SILENT) {
      heard = 0;
      hinted();
    }
  }, POLL);

  if (!navigator.locks || !window.BroadcastChannel) {
    show("live", "every 5 s");
    return;
  }
  const channel = new BroadcastChannel(NAME);
  channel.addEventListener("message", hear);
  show("live", "live");
  heard = Date.now();
  navigator.locks.request(NAME, () => {
    const stream = new EventSource("/hints");
    stream.addEventListener("hint", () => {
      channel.postMessage(0);
      hear();
    });
    return new Promise(() => {}); // held until this tab is closed; then another takes it
  });
})();
