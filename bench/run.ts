/** `npm run bench -- NAME [ARGS]`: runs `bench/NAME.ts`. */
const [name = '', ...args] = process.argv.slice(2);
if (!/^[a-z][a-z0-9-]*$/.test(name) || name === 'run') {
  console.error('Usage: npm run bench -- NAME, where bench/NAME.ts exists');
  process.exit(2);
}
const { run } = (await import(`./${name}.ts`)) as { run(args: readonly string[]): Promise<void> };
await run(args);

export {};
