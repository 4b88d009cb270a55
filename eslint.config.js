import tseslint from 'typescript-eslint';

const STREAM = '/^(stdout|stderr)$/';
const OF_PROCESS = `MemberExpression[property.name=${STREAM}]`;

/** Numbers and names of files that are open already, as they are written in code. */
const OPEN_FILE = String.raw`/^([12]|.\u002fdev\u002f(tty|stdout|stderr|fd\u002f[12]).)$/`;

/** Every way of writing to the terminal that Node.js has. */
const WRITES = [
  `MemberExpression[object.property.name=${STREAM}][property.name=/^(write|end|_write|writev|cork)$/]`,
  `MemberExpression[object.property.name=${STREAM}][computed=true]`,
  `MemberExpression[object.object.name='process'][object.computed=true]`,
  `CallExpression[callee.property.name='pipe'] > ${OF_PROCESS}[object.name='process']`,
  `CallExpression[callee.name=/^(pipeline|finished)$/] > ${OF_PROCESS}[object.name='process']`,
  `VariableDeclarator > ${OF_PROCESS}.init[object.name='process']`,
  `VariableDeclarator[init.name='process'] > ObjectPattern > Property[key.name=${STREAM}]`,
  `ImportDeclaration[source.value=/^(node:)?process$/] > ImportSpecifier[imported.name=${STREAM}]`,
  `ImportDeclaration[source.value=/^(node:)?console$/]`,
  `MemberExpression[object.name='console']`,
  `MemberExpression[object.property.name='console']`,
  `VariableDeclarator[init.name='console']`,
  `CallExpression[callee.property.name=/^(write|writeSync|writev|writevSync|writeFile|writeFileSync|appendFile|appendFileSync)$/][arguments.0.raw=${OPEN_FILE}]`,
  `CallExpression[callee.name=/^(write|writeSync|writev|writevSync|writeFile|writeFileSync|appendFile|appendFileSync)$/][arguments.0.raw=${OPEN_FILE}]`,
  `MemberExpression[object.name='process'][property.name=/^(emitWarning|_rawDebug)$/]`,
];

/** Those that oclif adds. */
const OCLIF_WRITES = [
  `CallExpression[callee.object.type='ThisExpression'][callee.property.name=/^(warn|error|logToStderr)$/]`,
  `CallExpression[callee.object.type='Super'][callee.property.name=/^(log|logJson|warn|error|logToStderr)$/]`,
  `ImportSpecifier[imported.name='ux']`,
  `MemberExpression[object.name='ux']`,
  `MemberExpression[property.name='ux']`,
  `CallExpression[callee.object.name='Errors'][callee.property.name=/^(warn|error|handle)$/]`,
];

function restricted(selectors) {
  const message = 'write through src/cli/screen.ts: tell, print, printJson, printData, or the log and say of a command';
  return selectors.map((selector) => ({ selector, message }));
}

// Biome does format and lint; these are the promise rules it lacks (it misses `setInterval(async ...)`).
export default tseslint.config(
  {
    files: ['src/**/*.{ts,tsx}', 'test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
    extends: [tseslint.configs.base],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/only-throw-error': 'error',
    },
  },
  {
    // src/cli/screen.ts alone writes: it lets no text from outside reach a terminal that the terminal would obey.
    files: ['src/**/*.{ts,tsx}'],
    // The demo's service says on its stdout, which is a pipe, what its port is.
    ignores: ['src/cli/screen.ts', 'src/demo/service.ts'],
    languageOptions: { parser: tseslint.parser },
    rules: { 'no-restricted-syntax': ['error', ...restricted(WRITES)] },
  },
  {
    files: ['src/cli/**/*.ts', 'src/commands/**/*.ts', 'src/hooks/**/*.ts', 'src/main.ts'],
    ignores: ['src/cli/screen.ts'],
    languageOptions: { parser: tseslint.parser },
    rules: { 'no-restricted-syntax': ['error', ...restricted([...WRITES, ...OCLIF_WRITES])] },
  },
);
