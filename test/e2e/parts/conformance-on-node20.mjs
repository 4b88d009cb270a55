// Lets the MCP conformance suite start on Node 20: it imports fs.globSync, which came with Node 22, for a command of its
// own that is not used here. Its other imports of fs are handed on as they are.
import { register } from 'node:module';

const module = (source) => `data:text/javascript,${encodeURIComponent(source)}`;
const fs = module('export * from "node:fs"; export { default } from "node:fs"; export const globSync = () => [];');

register(
  module(`export async function resolve(specifier, context, next) {
    const ours = context.parentURL?.includes('/@modelcontextprotocol/conformance/');
    if (ours && (specifier === 'fs' || specifier === 'node:fs')) return { url: ${JSON.stringify(fs)}, shortCircuit: true };
    return next(specifier, context);
  }`),
);
