// Stays at the end of a text that grows, for a reader who went there.

/** So many pixels above the end still count as the end. */
const NEAR = 80;

/** @returns a function to call when the text has grown */
export function stayAtEnd(player, signal) {
  let atEnd = false;
  addEventListener('scroll', () => {
    atEnd = scrollY > 0 && scrollY + innerHeight > document.documentElement.scrollHeight - NEAR;
  }, { signal, passive: true });
  return () => {
    if (atEnd && !player.playing) scrollTo(0, document.documentElement.scrollHeight);
  };
}
