import type { Config } from '../config.js';
import { type Found, fail, ok, skip, warn } from './check.js';

/** Which files were read, and what each of them says. */
export function configurationChecks({ files, sections, missingEnv, source }: Config): Found[] {
  const found: Found[] = files.map((file) => {
    const own = Object.keys(sections).filter((section) => sections[section] === file);
    return ok(`${file}: ${own.length === 0 ? 'says nothing' : own.join(', ')}`);
  });
  if (found.length === 0)
    found.push(ok('no lukhas.yaml here, and none of this account: flags, environment and defaults apply'));
  const missing = source.kind === 'scrape' || source.kind === 'prometheus' ? missingEnv[source.kind] : [];
  if (missing.length > 0) {
    const names = missing.join(', ');
    found.push(fail('CONFIG', `source: its credentials are in ${names}, not set in the environment`, `Set ${names}.`));
  }
  return found;
}

/** The policy that canaries are started with where none is named. */
export async function policyChecks(file: string | null): Promise<Found[]> {
  if (file === null) return [skip('none configured: give --policy FILE or targets when a canary starts')];
  const [{ policyOfFile }, { lintPolicy }] = await Promise.all([
    import('../policy-input.js'),
    import('../../judge/policy-lint.js'),
  ]);
  const findings = lintPolicy(await policyOfFile(file));
  const isFine = findings.every(({ severity }) => severity === 'note');
  return [
    ...(isFine ? [ok(`${file}: valid`)] : []),
    ...findings.map(({ severity, path, message }) => {
      const detail = `${file}: ${path}: ${message}`;
      if (severity === 'error') return fail('POLICY', detail);
      // A note holds under conditions that are not known here, such as how much traffic there is.
      return severity === 'warning' ? warn(detail) : skip(detail);
    }),
  ];
}
