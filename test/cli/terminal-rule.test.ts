import { expect } from 'chai';
import { Linter } from 'eslint';
// @ts-expect-error A file of JavaScript without types.
import config from '../../eslint.config.js';

const COMMAND = 'src/commands/example.ts';
const rules = (config as Linter.Config[]).filter((block) => block.rules?.['no-restricted-syntax'] !== undefined);

function refused(code: string, filename = COMMAND): boolean {
  const found = new Linter({ cwd: '/' }).verify(code, rules, { filename: `/${filename}` });
  const fatal = found.find((message) => message.fatal);
  if (fatal !== undefined) throw new Error(`${code}: ${fatal.message}`);
  return found.some((message) => message.ruleId === 'no-restricted-syntax');
}

describe('the rule that src/cli/screen.ts alone writes to the terminal', function () {
  this.timeout(60_000);

  for (const code of [
    "process.stdout.write('x')",
    "process.stderr.write('x')",
    "process.stdout.end('x')",
    "process.stdout['write']('x')",
    "process['stdout'].write('x')",
    "globalThis.process.stderr.write('x')",
    'const out = process.stdout; out.write(x)',
    'const { stderr } = process; stderr.write(x)',
    "import { stdout } from 'node:process'; stdout.write(x)",
    'file.pipe(process.stdout)',
    'await pipeline(file, process.stderr)',
    "console.log('x')",
    "console.error('x')",
    "globalThis.console.warn('x')",
    'const { log } = console',
    "import { log } from 'node:console'",
    "fs.writeSync(1, 'x')",
    "writeSync(2, 'x')",
    "fs.writeFileSync('/dev/stderr', 'x')",
    "appendFileSync('/dev/tty', 'x')",
    "process.emitWarning('x')",
    "process._rawDebug('x')",
  ]) {
    it(`refuses ${code}`, () => {
      expect(refused(code)).to.equal(true);
      expect(refused(code, 'src/lib/app/example.ts'), 'in the library').to.equal(true);
    });
  }

  for (const code of ["this.warn('x')", "this.error('x')", "this.logToStderr('x')", "super.log('x')"]) {
    it(`refuses ${code}`, () => {
      expect(refused(`class A extends B { run() { ${code} } }`)).to.equal(true);
    });
  }
  for (const code of ["import { ux } from '@oclif/core'", "ux.stdout('x')", "core.ux.warn('x')", "Errors.warn('x')"]) {
    it(`refuses ${code}`, () => expect(refused(code)).to.equal(true));
  }

  it('lets text pass through the screen, and other files be written', () => {
    const fine =
      "import { tell } from '../cli/screen.js'; tell('x'); class A extends B { run() { this.log('x'); this.say('x'); paint(process.stdout) } }; writeSync(fd, 'x'); response.write('x')";
    expect(refused(fine)).to.equal(false);
    expect(refused("process.stdout.write('x')", 'src/cli/screen.ts')).to.equal(false);
  });
});
