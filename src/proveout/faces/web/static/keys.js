// What the keyboard can do: Ctrl-K or Cmd-K jumps anywhere, J and K walk through a list,
// and Enter opens what has the focus, as it always does. "/" goes to the query of a list, "?"
// shows the keys, and Escape folds the menu of a narrow window.
(() => {
  "use strict";
  const dialog = document.getElementById("jump");
  const opener = document.getElementById("jump-open");
  if (!dialog || !opener) return;
  const input = dialog.querySelector("input");
  const list = dialog.querySelector("[role=listbox]");
  const none = dialog.querySelector(".none");
  let at = 0;

  const places = () => {
    const found = [];
    const known = new Set();
    for (const link of document.querySelectorAll(".side .nav a, #actions a")) {
      const word = link.dataset.word || link.textContent.trim();
      if (known.has(word)) continue;
      known.add(word);
      const kind = link.closest("#actions") ? "do" : "go to";
      found.push({ href: link.getAttribute("href"), word, kind });
    }
    return found;
  };

  // What was typed may be a query or the id of a run, too.
  const typed = (text) => {
    if (!text) return [];
    const q = encodeURIComponent(text);
    if (/^\w+:\S/.test(text)) return [{ href: `/runs?q=${q}`, word: text, kind: "find runs" }];
    if (/^[0-9A-Za-z-]{8,64}$/.test(text)) return [{ href: `/runs/${q}`, word: text, kind: "open run" }];
    return [];
  };

  const fill = () => {
    const text = input.value.trim();
    const parts = text.toLowerCase().split(/\s+/);
    const fits = (one) => parts.every((part) => one.word.toLowerCase().includes(part));
    const found = [...places().filter(fits), ...typed(text)].slice(0, 30);
    list.replaceChildren(
      ...found.map(({ href, word, kind }, place) => {
        const row = document.createElement("li");
        const said = document.createElement("span");
        row.id = `jump-${place}`;
        row.setAttribute("role", "option");
        row.dataset.href = href;
        said.className = "muted xs";
        said.textContent = kind;
        row.append(word, said);
        return row;
      }),
    );
    none.hidden = found.length > 0;
    mark(0);
  };

  const mark = (place) => {
    const rows = [...list.children];
    at = rows.length ? (place + rows.length) % rows.length : 0;
    rows.forEach((row, index) => row.setAttribute("aria-selected", String(index === at)));
    if (rows[at]) {
      input.setAttribute("aria-activedescendant", rows[at].id);
      rows[at].scrollIntoView({ block: "nearest" });
    } else {
      input.removeAttribute("aria-activedescendant");
    }
  };

  const open = () => {
    input.value = "";
    fill();
    dialog.showModal();
  };

  const go = (row) => {
    if (!row) return;
    dialog.close();
    location.assign(row.dataset.href);
  };

  opener.hidden = false;
  opener.addEventListener("click", open);
  input.addEventListener("input", fill);
  list.addEventListener("click", (event) => go(event.target.closest("li")));
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("keydown", (event) => {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) mark(at + step);
    else if (event.key === "Enter") go(list.children[at]);
    else return;
    event.preventDefault();
  });

  const rows = () => [...document.querySelectorAll("main .list tbody th a, main .keys > li > a")];

  const walk = (step) => {
    const links = rows();
    const now = links.indexOf(document.activeElement);
    const next = links[now < 0 ? (step > 0 ? 0 : links.length - 1) : now + step];
    if (!next) return;
    next.focus();
    next.scrollIntoView({ block: "nearest" });
  };

  document.addEventListener("keydown", (event) => {
    if ((event.ctrlKey || event.metaKey) && !event.altKey && event.key.toLowerCase() === "k") {
      event.preventDefault();
      if (dialog.open) dialog.close();
      else open();
      return;
    }
    const menu = document.querySelector(".menu[open]");
    if (event.key === "Escape" && menu) {
      menu.open = false;
      menu.querySelector("summary").focus();
      return;
    }
    const writes = event.target.closest("input, textarea, select, [contenteditable]");
    if (writes || dialog.open || event.ctrlKey || event.metaKey || event.altKey) return;
    const query = document.querySelector("main [name=q]");
    if (event.key === "j" || event.key === "k") walk(event.key === "j" ? 1 : -1);
    else if (event.key === "/" && query) query.focus();
    else if (event.key === "?" && !document.querySelector('[data-key="?"]')) open();
    else return;
    event.preventDefault();
  });
})();
