import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

export interface Registry {
  /** For `npm install --registry`. */
  url: string;
  close(): void;
}

/**
 * An npm registry that has one package of our own; it asks the configured registry for every other one. npm heeds the
 * shrinkwrap of a package only where a registry says that the package has one.
 * @param manifest package.json of the package
 * @param archive what `npm pack` wrote
 * @param upstream address of the configured registry
 */
export async function startRegistry(
  manifest: { name: string; version: string },
  archive: string,
  upstream: string,
): Promise<Registry> {
  const tarball = readFileSync(archive);
  const server = createServer((request, response) => {
    const path = request.url ?? '/';
    if (path === '/-/archive.tgz') response.end(tarball);
    else if (path === `/${manifest.name}`) response.setHeader('content-type', 'application/json').end(packument());
    else response.writeHead(307, { location: new URL(path.slice(1), upstream).href }).end();
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  const packument = () => {
    const integrity = `sha512-${createHash('sha512').update(tarball).digest('base64')}`;
    const version = { ...manifest, _hasShrinkwrap: true, dist: { tarball: `${url}-/archive.tgz`, integrity } };
    const { name } = manifest;
    return JSON.stringify({
      name,
      'dist-tags': { latest: manifest.version },
      versions: { [manifest.version]: version },
    });
  };
  return { url, close: () => server.close() };
}
