// Making and finding elements. Text goes in as text, so nothing that a user wrote is ever markup.

export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (name in made) made[name] = value;
    else made.setAttribute(name, value);
  }
  made.append(...children);
  return made;
}

/** The content of the template with this id, as its one element. */
export function stamp(id) {
  return document.getElementById(id).content.firstElementChild.cloneNode(true);
}

/** Shows text in a notice, or hides it where there is none. */
export function notify(notice, text) {
  notice.hidden = !text;
  notice.textContent = text ?? '';
}

/** Tells screen readers what has happened. */
export function announce(text) {
  document.getElementById('announcer').textContent = text;
}
