import tseslint from 'typescript-eslint';

// Biome does format and lint; these are the promise rules it lacks (it misses `setInterval(async ...)`).
export default tseslint.config(
  {
    files: ['src/**/*.ts', 'test/**/*.ts', 'bench/**/*.ts', 'scripts/**/*.ts'],
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
    files: ['src/cli/**/*.ts', 'src/commands/**/*.ts', 'src/hooks/**/*.ts'],
    ignores: ['src/cli/screen.ts'],
    languageOptions: { parser: tseslint.parser },
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector: "MemberExpression[object.property.name=/^std(out|err)$/][property.name='write']",
          message: 'write through src/cli/screen.ts: tell, printJson, printData, or the log and say of a command',
        },
      ],
    },
  },
);
