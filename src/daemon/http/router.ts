import { HttpError, type Route } from './route.js';

/** Finds the route of a request, or lists the available ones. */
export class Router {
  readonly #routes: ReadonlyMap<string, readonly Route[]>;

  constructor(routes: readonly Route[]) {
    const byPath = new Map<string, Route[]>();
    for (const route of routes) byPath.set(route.path, [...(byPath.get(route.path) ?? []), route]);
    this.#routes = byPath;
  }

  /** Needs no key. */
  isOpen(path: string): boolean {
    return this.#routes.get(path)?.every((route) => route.open === true) ?? false;
  }

  /** @throws HttpError 404, 405 */
  find(method: string, path: string): Route {
    const routes = this.#routes.get(path);
    if (routes === undefined) throw new HttpError(404, `no route ${path}; available: ${this.#list().join(', ')}`);
    const wanted = method === 'HEAD' ? 'GET' : method;
    const route = routes.find(({ methods }) => (methods as readonly string[]).includes(wanted));
    if (route) return route;
    const allow = allowed(routes).join(', ');
    throw new HttpError(405, `method not allowed: ${path} accepts ${allow}`, { Allow: allow });
  }

  #list(): string[] {
    return [...this.#routes].map(([path, routes]) => `${allowed(routes).join('|')} ${path}`);
  }
}

function allowed(routes: readonly Route[]): string[] {
  return [...new Set(routes.flatMap(({ methods }) => methods.flatMap((m) => (m === 'GET' ? ['GET', 'HEAD'] : [m]))))];
}
