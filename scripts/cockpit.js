// The cockpit: src/cockpit bundled with the judge and the words of the library into one file without a request to any host.
// Its script and style are inline; the daemon allows exactly these by their hashes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, transform } from 'esbuild';
import { directImports } from './direct-imports.js';

/** In this order: what comes later wins. */
const STYLES = ['theme', 'lists', 'charts', 'forms', 'page', 'start', 'media'];

/** How code is bundled for a browser. */
export function browserBundle(root, entry, format) {
  return build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format,
    platform: 'browser',
    target: 'es2022',
    minify: true,
    charset: 'ascii',
    legalComments: 'inline',
    plugins: [directImports],
    // Of a clock that the page does not start.
    external: ['node:timers/promises'],
    logLevel: 'warning',
  });
}

/** The page as text. */
export async function cockpitPage(root) {
  const read = (name) => readFileSync(join(root, 'src/cockpit', name), 'utf8');
  const { outputFiles } = await browserBundle(root, 'src/cockpit/main.ts', 'iife');
  const css = STYLES.map((name) => read(`style/${name}.css`)).join('');
  const style = (await transform(css, { loader: 'css', minify: true })).code.trim();
  // Inside a script element nothing may look like its end, or like a comment of HTML.
  const script = outputFiles[0].text.trim().replaceAll('</script', '<\\/script').replaceAll('<!--', '\\x3C!--');
  return read('page.html')
    .replace('/*style*/', () => style)
    .replace('/*script*/', () => script);
}
