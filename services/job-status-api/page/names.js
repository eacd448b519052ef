// What this browser calls a job: the file it came from. Only the browser that sent it knows.

const KEY = 'longhand.names';
const MOST = 500;

function all() {
  try {
    return JSON.parse(localStorage.getItem(KEY)) ?? {};
  } catch {
    return {}; // Without storage, or with somebody else's data in it, jobs go by their ids.
  }
}

export function nameOf(id) {
  const names = all();
  return Object.hasOwn(names, id) ? String(names[id]) : id;
}

export function remember(id, name) {
  keep([...others(id).slice(1 - MOST), [id, name]]);
}

export function forget(id) {
  keep(others(id));
}

function others(id) {
  return Object.entries(all()).filter(([known]) => known !== id);
}

function keep(names) {
  try {
    localStorage.setItem(KEY, JSON.stringify(Object.fromEntries(names)));
  } catch {
    // A browser that keeps nothing shows the id.
  }
}
