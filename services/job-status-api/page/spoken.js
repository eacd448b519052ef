// Keeps the spoken words in sight, until the reader scrolls away; a button leads back.

/** Lines are brought into sight when they come closer to the window's edges than so many pixels. */
const MARGIN = 140;

export function followSpoken(transcript, player, button, signal) {
  let following = true;
  const leave = () => {
    following = !player.playing;
    button.hidden = following;
  };
  for (const type of ['wheel', 'touchmove']) addEventListener(type, leave, { signal, passive: true });

  function show(line) {
    const { top, bottom } = line.getBoundingClientRect();
    if (top >= MARGIN && bottom <= innerHeight - MARGIN) return;
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    line.scrollIntoView({ block: 'center', behavior: calm ? 'auto' : 'smooth' });
  }

  function resume() {
    following = true;
    button.hidden = true;
  }

  button.addEventListener('click', () => {
    resume();
    if (transcript.spokenLine) show(transcript.spokenLine);
  }, { signal });

  return {
    resume,
    /** The recording is at this time. */
    at(time) {
      const line = transcript.mark(time);
      if (line && following) show(line);
    },
  };
}
