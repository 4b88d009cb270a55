import { resolve } from 'node:path';
import type { SourceAuth } from '../metrics/index.js';
import { type Env, text } from './config-files.js';
import type { CredentialNames } from './source-schema.js';

/**
 * The credentials of a source: those of the environment's own variables (PROM_*) before those that a file names.
 * @returns `missing`: variables that the file names and the environment does not set; nothing is sent in part
 */
export function sourceCredentials(
  names: CredentialNames = {},
  own: SourceAuth,
  env: Env,
  cwd: string,
): { auth: SourceAuth; missing: string[] } {
  const caFile = own.caFile === undefined ? names.caFile : resolve(cwd, own.caFile);
  const files: SourceAuth = { ...(caFile === undefined ? {} : { caFile }), ...names.cert };
  const headersEnv = Object.entries(names.headersEnv ?? {});
  const given = own.bearer !== undefined || own.basic !== undefined;
  const wanted = given ? [] : loginVariables(names);
  const missing = [...wanted, ...headersEnv.map(([, name]) => name)].filter((name) => text(env, name) === undefined);
  if (missing.length > 0) return { auth: files, missing: [...new Set(missing)] };
  const headers = Object.fromEntries(headersEnv.map(([header, name]) => [header, env[name]!]));
  return {
    auth: {
      ...(given ? login(own) : login(fromVariables(names, env))),
      ...files,
      ...(headersEnv.length === 0 ? {} : { headers }),
    },
    missing,
  };
}

function loginVariables({ bearerEnv, basic }: CredentialNames): string[] {
  if (basic !== undefined) return [basic.usernameEnv, basic.passwordEnv];
  return bearerEnv === undefined ? [] : [bearerEnv];
}

function fromVariables({ bearerEnv, basic }: CredentialNames, env: Env): SourceAuth {
  if (basic !== undefined) return { basic: { username: env[basic.usernameEnv]!, password: env[basic.passwordEnv]! } };
  return bearerEnv === undefined ? {} : { bearer: env[bearerEnv]! };
}

function login({ bearer, basic }: SourceAuth): SourceAuth {
  return { ...(bearer === undefined ? {} : { bearer }), ...(basic === undefined ? {} : { basic }) };
}
