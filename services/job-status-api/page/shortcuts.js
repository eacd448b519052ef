// The keyboard.

const STEP = 5;

const TYPING = 'input:not([type=checkbox]):not([type=range]), textarea, select, [contenteditable]';

/** What the space bar presses. The times in the transcript are for Enter: whoever clicked one wants to pause next. */
const PRESSED = 'button:not(.time), a, summary, [type=checkbox]';

/** Calls back for keys that are meant for the page and not for what is in focus. */
function onKeys(act, signal) {
  addEventListener('keydown', event => {
    const taken = event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented;
    if (taken || event.target.matches(TYPING) || document.querySelector('dialog[open]')) return;
    if (act(event)) event.preventDefault();
  }, { signal });
}

export function playWithKeys(player, transcript, signal) {
  onKeys(({ key, shiftKey, target }) => {
    if (key === ' ' && !target.matches(PRESSED)) player.toggle();
    else if (key === 'ArrowLeft' || key === 'ArrowRight') {
      const direction = key === 'ArrowLeft' ? -1 : 1;
      const goal = shiftKey ? transcript.neighbour(player.time, direction) : player.time + STEP * direction;
      if (goal !== undefined) player.seek(goal);
    } else return false;
    return true;
  }, signal);
  // Firefox presses a button when the space bar goes up again.
  addEventListener('keyup', event => {
    if (event.key === ' ' && event.target.matches('.time')) event.preventDefault();
  }, { signal });
}

export function showShortcuts() {
  const dialog = document.getElementById('keys');
  document.getElementById('show-keys').addEventListener('click', () => dialog.showModal());
  onKeys(({ key }) => key === '?' && (dialog.showModal(), true));
}
