/** Credentials of the product itself; a program that needs one is given it by name in its own `env`. */
const OWN_SECRET = /^(LUKHAS|PROM)_.*(BEARER|KEY|SECRET|TOKEN|PASSWORD|PASSPHRASE)/i;

/**
 * What a program that we start inherits.
 * @param withhold further names that are not passed on
 */
export function withoutSecrets(env: NodeJS.ProcessEnv, withhold: readonly string[] = []): NodeJS.ProcessEnv {
  const kept = Object.entries(env).filter(([name]) => !OWN_SECRET.test(name) && !withhold.includes(name));
  return Object.fromEntries(kept);
}
