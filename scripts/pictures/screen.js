// A terminal's screen, as `tmux capture-pane -e` prints it, as HTML.

const COLORS = ['#3b4252', '#e5646b', '#7fc77f', '#e0b35a', '#6fa8ff', '#c792ea', '#5ac8c8', '#d8dee9'];
const BRIGHT = ['#8b95a7', '#ff8087', '#9be29b', '#ffd07a', '#94c0ff', '#dcb0ff', '#86e3e3', '#ffffff'];

/** Color of the 256 that terminals have. */
function colorOf(n) {
  if (n < 8) return COLORS[n];
  if (n < 16) return BRIGHT[n - 8];
  if (n >= 232)
    return `rgb(${Array(3)
      .fill(8 + (n - 232) * 10)
      .join(',')})`;
  const level = (i) => (i === 0 ? 0 : 55 + 40 * i);
  const i = n - 16;
  return `rgb(${level(Math.floor(i / 36))},${level(Math.floor(i / 6) % 6)},${level(i % 6)})`;
}

/** The style after one SGR sequence. */
function styled(before, sequence) {
  const style = { ...before };
  const codes = sequence === '' ? [0] : sequence.split(/[;:]/).map(Number);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i];
    if (code === 0) for (const key of Object.keys(style)) delete style[key];
    else if (code === 1) style.bold = true;
    else if (code === 2) style.dim = true;
    else if (code === 4) style.underline = true;
    else if (code === 7) style.inverse = true;
    else if (code === 22) style.bold = style.dim = false;
    else if (code === 24) style.underline = false;
    else if (code === 27) style.inverse = false;
    else if (code >= 30 && code <= 37) style.front = COLORS[code - 30];
    else if (code >= 90 && code <= 97) style.front = BRIGHT[code - 90];
    else if (code >= 40 && code <= 47) style.back = COLORS[code - 40];
    else if (code >= 100 && code <= 107) style.back = BRIGHT[code - 100];
    else if (code === 39) delete style.front;
    else if (code === 49) delete style.back;
    else if (code === 38 || code === 48) {
      const key = code === 38 ? 'front' : 'back';
      if (codes[i + 1] === 5) {
        style[key] = colorOf(codes[i + 2]);
        i += 2;
      } else {
        style[key] = `rgb(${codes.slice(i + 2, i + 5).join(',')})`;
        i += 4;
      }
    }
  }
  return style;
}

function css({ bold, dim, underline, inverse, front, back }) {
  const [color, background] = inverse ? [back ?? '#0f1420', front ?? '#d8dee9'] : [front, back];
  return [
    color && `color:${color}`,
    background && `background:${background}`,
    bold && 'font-weight:700',
    dim && 'opacity:.6',
    underline && 'text-decoration:underline',
  ]
    .filter(Boolean)
    .join(';');
}

const escaped = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');

/**
 * @param screen what tmux printed, with SGR sequences
 * @param title shown above
 */
export function htmlOfScreen(screen, title) {
  let style = {};
  let html = '';
  // With one capture group: text and sequences in turn.
  // biome-ignore lint/suspicious/noControlCharactersInRegex: sequences begin with one
  for (const [i, part] of screen.split(/\x1b\[([\d;:]*)m/).entries()) {
    if (i % 2 === 1) style = styled(style, part);
    else if (part !== '') html += `<span style="${css(style)}">${escaped(part)}</span>`;
  }
  return `<!doctype html><meta charset="utf-8"><title>${escaped(title)}</title><style>
body { margin: 0; background: #0f1420 }
main { display: inline-block; padding: 14px 18px; background: #0f1420; color: #d8dee9;
  font: 14px/1.25 'DejaVu Sans Mono', 'Liberation Mono', monospace; white-space: pre }
</style><main>${html}</main>`;
}
