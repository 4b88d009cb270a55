// A folder's index.ts is its contract for whoever reads the code. In a bundle it would tie together what is loaded apart:
// esbuild keeps every file that an index names reachable from whoever imports one name of it. So imports of an index are
// replaced by imports of the files that define the names.
import { readFileSync } from 'node:fs';
import { dirname, relative, resolve } from 'node:path';

const INDEX_IMPORT = /^(import|export)\s+(type\s+)?\{([^}]*)\}\s+from\s+'(\.[^']*\/index\.js)';/gm;
const RE_EXPORT = /^export\s+(?:type\s+)?\{([^}]*)\}\s+from\s+'(\.[^']*)';/gm;

const indexes = new Map();

/** Name -> the file that defines it, for all names of an index; an index inside it is followed. */
function exportsOf(file) {
  let names = indexes.get(file);
  if (names !== undefined) return names;
  names = new Map();
  for (const [, list, from] of readFileSync(file, 'utf8').matchAll(RE_EXPORT)) {
    const target = resolve(dirname(file), from.replace(/\.js$/, '.ts'));
    for (const { name } of namesIn(list))
      names.set(name, target.endsWith('/index.ts') ? exportsOf(target).get(name) : target);
  }
  indexes.set(file, names);
  return names;
}

function namesIn(list) {
  return list
    .split(',')
    .map((part) => part.trim())
    .filter((part) => part !== '')
    .map((part) => ({
      text: part,
      name: part
        .replace(/^type\s+/, '')
        .split(/\s+as\s+/)[0]
        .trim(),
    }));
}

/** The text of a source file with its imports of indexes made direct. */
export function direct(file, text) {
  return text.replace(INDEX_IMPORT, (_, verb, type = '', list, from) => {
    const index = resolve(dirname(file), from.replace(/\.js$/, '.ts'));
    const names = exportsOf(index);
    const byFile = new Map();
    for (const { text: part, name } of namesIn(list)) {
      const target = names.get(name);
      if (target === undefined) throw new Error(`${file}: ${index} does not export ${name}`);
      byFile.set(target, [...(byFile.get(target) ?? []), part]);
    }
    return [...byFile]
      .map(([target, parts]) => {
        const path = relative(dirname(file), target).replace(/\.ts$/, '.js');
        return `${verb} ${type}{ ${parts.join(', ')} } from '${path.startsWith('.') ? path : `./${path}`}';`;
      })
      .join(' ');
  });
}

export const directImports = {
  name: 'direct-imports',
  setup(build) {
    build.onLoad({ filter: /[\\/]src[\\/].*\.tsx?$/ }, ({ path }) => ({
      contents: direct(path, readFileSync(path, 'utf8')),
      loader: path.endsWith('x') ? 'tsx' : 'ts',
    }));
  },
};
