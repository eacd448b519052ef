// The API key, where the services want one. It lives as long as the tab.

const KEY = 'longhand.key';
const dialog = document.getElementById('ask-key');
let asking = null;

export function key() {
  return sessionStorage.getItem(KEY);
}

export function authorization() {
  return key() ? { Authorization: `Bearer ${key()}` } : {};
}

/**
 * Asks for a key; many requests that are refused at once ask one time. Resolves to whether there is a new one.
 * `refused` is the key that did not do, for this reason: another request may have got a better one by now.
 */
export function askForKey(reason, refused) {
  if (key() && key() !== refused) return Promise.resolve(true);
  asking ??= new Promise(resolve => {
    const form = dialog.querySelector('form');
    document.getElementById('ask-key-reason').textContent = refused ? reason : 'Longhand lets in who has a key.';
    form.reset();
    dialog.returnValue = '';
    dialog.addEventListener('close', () => {
      asking = null;
      const given = dialog.returnValue === 'use' && form.elements.key.value.trim();
      if (given) sessionStorage.setItem(KEY, given);
      form.reset();
      resolve(Boolean(given));
    }, { once: true });
    dialog.showModal();
  });
  return asking;
}
