// The cockpit: src/cockpit bundled with the judge and the words of the library into one file without a request to any host.
// Its script and style are inline; the daemon allows exactly these by their hashes.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { build, transform } from 'esbuild';
import { minify } from 'terser';
import { directImports } from './direct-imports.js';

/** In this order: what comes later wins. */
const STYLES = ['theme', 'lists', 'charts', 'forms', 'page', 'log', 'start', 'media'];

/**
 * Code bundled for a browser, as text. esbuild resolves and minifies; terser takes another 4% (3% compressed) off. None of its
 * options that could change a number is on: the judge has to say the same to the last bit.
 */
export async function browserBundle(root, entry, format) {
  const { outputFiles } = await build({
    absWorkingDir: root,
    entryPoints: [entry],
    bundle: true,
    write: false,
    format,
    platform: 'browser',
    target: 'es2022',
    minify: true,
    charset: 'utf8',
    legalComments: 'none',
    plugins: [directImports],
    // Of a clock that the page does not start.
    external: ['node:timers/promises'],
    logLevel: 'warning',
  });
  const { code } = await minify(outputFiles[0].text, {
    ecma: 2022,
    module: format === 'esm',
    toplevel: true,
    compress: { passes: 3, inline: 1, sequences: false },
    format: { comments: false },
  });
  return code;
}

/** The page as text. */
export async function cockpitPage(root) {
  const read = (name) => readFileSync(join(root, 'src/cockpit', name), 'utf8');
  const bundle = await browserBundle(root, 'src/cockpit/main.ts', 'iife');
  const css = STYLES.map((name) => read(`style/${name}.css`)).join('');
  const style = (await transform(css, { loader: 'css', minify: true })).code.trim();
  // Inside a script element nothing may look like its end, or like a comment of HTML.
  const script = bundle.trim().replaceAll('</script', '<\\/script').replaceAll('<!--', '\\x3C!--');
  return read('page.html')
    .replace('/*style*/', () => style)
    .replace('/*script*/', () => script);
}
