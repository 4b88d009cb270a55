import {
  type CallToolResult,
  CLIENT_CAPABILITIES_META_KEY,
  createRequestStateCodec,
  fromJsonSchema,
  type InputRequiredResult,
  inputRequired,
  McpServer,
  ResourceTemplate,
  type ServerContext,
  type ServerEventBus,
} from '@modelcontextprotocol/server';
import * as z from 'zod';
import type { NewServer } from '../../src/daemon/mcp/endpoint.js';

/** 1x1 pixel, PNG; and an empty sound, WAV. */
const PNG = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg==';
const WAV = 'UklGRiQAAABXQVZFZm10IBAAAAABAAEARKwAAIhYAQACABAAZGF0YQAAAAA=';

const IMAGE = { type: 'image', data: PNG, mimeType: 'image/png' } as const;
const text = (value: string) => ({ type: 'text', text: value }) as const;
const says = (value: string): CallToolResult => ({ content: [text(value)] });
const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

/**
 * What the conformance suite asks of any server: its own tools, resources and prompts. They are served by the endpoint of
 * the daemon, so that the suite tests the endpoint.
 */
export function fixtureServers(updates: ServerEventBus): NewServer {
  const codec = createRequestStateCodec({ key: 'a key for tests only, 32 bytes or more' });
  return ({ era }) => {
    const server = new McpServer(
      { name: 'fixtures', version: '1.0.0' },
      {
        capabilities: { logging: {}, tools: { listChanged: true }, prompts: { listChanged: true } },
        requestState: { verify: codec.verify },
      },
    );
    contents(server);
    reports(server);
    resources(server, era);
    prompts(server);
    inputs(server, codec);
    structure(server, updates);
    return server;
  };
}

function contents(server: McpServer): void {
  const tool = (name: string, content: CallToolResult['content']) =>
    server.registerTool(name, { description: name }, () => ({ content }));
  tool('test_simple_text', [text('This is a simple text response for testing.')]);
  tool('test_image_content', [IMAGE]);
  tool('test_audio_content', [{ type: 'audio', data: WAV, mimeType: 'audio/wav' }]);
  tool('test_embedded_resource', [
    {
      type: 'resource',
      resource: {
        uri: 'test://embedded-resource',
        mimeType: 'text/plain',
        text: 'This is an embedded resource content.',
      },
    },
  ]);
  tool('test_multiple_content_types', [
    text('Multiple content types test:'),
    IMAGE,
    {
      type: 'resource',
      resource: {
        uri: 'test://mixed-content-resource',
        mimeType: 'application/json',
        text: '{"test":"data","value":123}',
      },
    },
  ]);
  server.registerTool('test_error_handling', { description: 'fails' }, () => {
    throw new Error('This tool intentionally returns an error for testing');
  });
  server.registerTool(
    'json_schema_2020_12_tool',
    { description: 'Tool with JSON Schema 2020-12 features', inputSchema: fromJsonSchema(SCHEMA_2020_12) },
    () => says('valid'),
  );
}

function reports(server: McpServer): void {
  server.registerTool('test_tool_with_logging', { description: 'logs' }, async (ctx) => {
    await ctx.mcpReq.log('info', 'Tool execution started');
    await wait(50);
    await ctx.mcpReq.log('info', 'Tool processing data');
    await wait(50);
    await ctx.mcpReq.log('info', 'Tool execution completed');
    return says('logged');
  });
  server.registerTool('test_tool_with_progress', { description: 'tells how far it is' }, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken;
    for (const progress of [0, 50, 100]) {
      if (progressToken !== undefined)
        await ctx.mcpReq.notify({
          method: 'notifications/progress',
          params: { progressToken, progress, total: 100 },
        });
      if (progress < 100) await wait(50);
    }
    return says('done');
  });
}

function resources(server: McpServer, era: 'legacy' | 'modern'): void {
  const describe = (name: string, uri: string, mimeType: string, content: { text: string } | { blob: string }) =>
    server.registerResource(name, uri, { mimeType }, () => ({ contents: [{ uri, mimeType, ...content }] }));
  describe('static-text', 'test://static-text', 'text/plain', {
    text: 'This is the content of the static text resource.',
  });
  describe('static-binary', 'test://static-binary', 'image/png', { blob: PNG });
  describe('watched', 'test://watched-resource', 'text/plain', { text: 'watched' });
  server.registerResource(
    'template',
    new ResourceTemplate('test://template/{id}/data', { list: undefined }),
    { mimeType: 'application/json' },
    ({ href }, { id }) => ({
      contents: [
        {
          uri: href,
          mimeType: 'application/json',
          text: JSON.stringify({ id, templateTest: true, data: `Data for ID: ${String(id)}` }),
        },
      ],
    }),
  );
  server.server.registerCapabilities({ resources: { subscribe: true } });
  if (era === 'modern') return;
  server.server.setRequestHandler('resources/subscribe', () => ({}));
  server.server.setRequestHandler('resources/unsubscribe', () => ({}));
}

function prompts(server: McpServer): void {
  server.registerPrompt('test_simple_prompt', { description: 'simple' }, () => ({
    messages: [{ role: 'user', content: text('This is a simple prompt for testing.') }],
  }));
  server.registerPrompt(
    'test_prompt_with_arguments',
    { description: 'arguments', argsSchema: z.object({ arg1: z.string(), arg2: z.string() }) },
    ({ arg1, arg2 }) => ({
      messages: [{ role: 'user', content: text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`) }],
    }),
  );
  server.registerPrompt(
    'test_prompt_with_embedded_resource',
    { description: 'embeds', argsSchema: z.object({ resourceUri: z.string() }) },
    ({ resourceUri: uri }) => ({
      messages: [
        {
          role: 'user',
          content: {
            type: 'resource',
            resource: { uri, mimeType: 'text/plain', text: 'Embedded resource content for testing.' },
          },
        },
        { role: 'user', content: text('Please process the embedded resource above.') },
      ],
    }),
  );
  server.registerPrompt('test_prompt_with_image', { description: 'image' }, () => ({
    messages: [
      { role: 'user', content: IMAGE },
      { role: 'user', content: text('Please analyze the image above.') },
    ],
  }));
  server.server.registerCapabilities({ completions: {} });
  server.server.setRequestHandler('completion/complete', () => ({ completion: { values: ['paris'], hasMore: false } }));
}

type Codec = ReturnType<typeof createRequestStateCodec>;

const ask = (message: string, property: string, type: 'string' | 'boolean' = 'string') =>
  inputRequired.elicit({
    message,
    requestedSchema: {
      type: 'object',
      properties: { [property]: type === 'string' ? { type: 'string' } : { type: 'boolean' } },
      required: [property],
    },
  });
const sample = (question: string, maxTokens: number) =>
  inputRequired.createMessage({
    messages: [{ role: 'user', content: { type: 'text', text: question } }],
    maxTokens,
  });

/** What a client answered to a question, when it has the form of an answer to it. */
function answered(ctx: ServerContext, key: string, property: string): unknown {
  const response = ctx.mcpReq.inputResponses?.[key] as Record<string, unknown> | undefined;
  const content = response?.['content'] as Record<string, unknown> | undefined;
  return response?.['action'] === 'accept' ? content?.[property] : undefined;
}

/** What the client of this request has declared that it can do. */
function able(ctx: ServerContext): Record<string, unknown> {
  const envelope: Record<string, unknown> = { ...ctx.mcpReq.envelope };
  return (envelope[CLIENT_CAPABILITIES_META_KEY] ?? {}) as Record<string, unknown>;
}

function inputs(server: McpServer, codec: Codec): void {
  const tool = (
    name: string,
    work: (ctx: ServerContext) => CallToolResult | InputRequiredResult | Promise<CallToolResult | InputRequiredResult>,
  ) => server.registerTool(`test_input_required_result_${name}`, { description: name }, work);
  tool('elicitation', (ctx) => {
    const name = answered(ctx, 'user_name', 'name');
    if (typeof name === 'string') return says(`Hello, ${name}!`);
    return inputRequired({ inputRequests: { user_name: ask('What is your name?', 'name') } });
  });
  tool('sampling', (ctx) => {
    const answer = ctx.mcpReq.inputResponses?.['capital_question'];
    if (answer !== undefined) return says(JSON.stringify(answer));
    return inputRequired({ inputRequests: { capital_question: sample('What is the capital of France?', 100) } });
  });
  tool('list_roots', (ctx) => {
    const answer = ctx.mcpReq.inputResponses?.['client_roots'];
    if (answer !== undefined) return says(JSON.stringify(answer));
    return inputRequired({ inputRequests: { client_roots: inputRequired.listRoots() } });
  });
  const confirmed = async (ctx: ServerContext) => {
    if (ctx.mcpReq.requestState() !== undefined && answered(ctx, 'confirm', 'ok') !== undefined)
      return says('state-ok');
    const requestState = await codec.mint({ step: 1 });
    return inputRequired({ inputRequests: { confirm: ask('Please confirm', 'ok', 'boolean') }, requestState });
  };
  tool('request_state', confirmed);
  tool('tampered_state', confirmed);
  tool('multiple_inputs', async (ctx) => {
    const { inputResponses } = ctx.mcpReq;
    if (['user_name', 'greeting', 'client_roots'].every((key) => inputResponses?.[key] !== undefined))
      return says(JSON.stringify(inputResponses));
    const inputRequests = {
      user_name: ask('What is your name?', 'name'),
      greeting: sample('Generate a greeting', 50),
      client_roots: inputRequired.listRoots(),
    };
    return inputRequired({ inputRequests, requestState: await codec.mint({ step: 1 }) });
  });
  tool('multi_round', async (ctx) => {
    const state = ctx.mcpReq.requestState<{ step: number }>();
    if (state?.step === 2 && answered(ctx, 'step2', 'color') !== undefined) return says('complete');
    if (state?.step === 1 && answered(ctx, 'step1', 'name') !== undefined)
      return inputRequired({
        inputRequests: { step2: ask('Step 2: What is your favorite color?', 'color') },
        requestState: await codec.mint({ step: 2 }),
      });
    return inputRequired({
      inputRequests: { step1: ask('Step 1: What is your name?', 'name') },
      requestState: await codec.mint({ step: 1 }),
    });
  });
  tool('capabilities', (ctx) => {
    if (ctx.mcpReq.inputResponses !== undefined) return says('answered');
    return inputRequired({
      inputRequests: {
        ...(able(ctx)['sampling'] === undefined ? {} : { question: sample('What?', 50) }),
        ...(able(ctx)['elicitation'] === undefined ? {} : { name: ask('Who?', 'name') }),
      },
    });
  });
  server.registerPrompt('test_input_required_result_prompt', { description: 'asks' }, (ctx: ServerContext) => {
    const context = answered(ctx, 'user_context', 'context');
    if (typeof context === 'string') return { messages: [{ role: 'user' as const, content: text(context) }] };
    return inputRequired({ inputRequests: { user_context: ask('What context should the prompt use?', 'context') } });
  });
}

function structure(server: McpServer, updates: ServerEventBus): void {
  server.registerTool('test_missing_capability', { description: 'needs sampling' }, (ctx) =>
    ctx.mcpReq.inputResponses === undefined && able(ctx)['sampling'] === undefined
      ? inputRequired({ inputRequests: { question: sample('What?', 50) } })
      : says('able'),
  );
  server.registerTool(
    'test_parameter_headers',
    {
      description: 'its region is in a header, too',
      inputSchema: fromJsonSchema({
        type: 'object',
        properties: { region: HEADED },
        required: ['region'],
      }),
    },
    () => says('here'),
  );
  server.registerTool('test_streaming_elicitation', { description: 'asks in mid-stream' }, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken ?? 'none';
    await ctx.mcpReq.notify({ method: 'notifications/progress', params: { progressToken, progress: 1 } });
    return inputRequired({ inputRequests: { name: ask('Who?', 'name') } });
  });
  server.registerTool('test_logging_tool', { description: 'logs where that is asked for' }, async (ctx) => {
    await ctx.mcpReq.log('info', 'working');
    return says('logged');
  });
  server.registerTool('test_trigger_tool_change', { description: 'changes the tools' }, () => {
    updates.publish({ kind: 'tools_list_changed' });
    return says('changed');
  });
  server.registerTool('test_trigger_prompt_change', { description: 'changes the prompts' }, () => {
    updates.publish({ kind: 'prompts_list_changed' });
    return says('changed');
  });
}

/** Its value is repeated in the header Mcp-Param-Region. */
const HEADED: object = { type: 'string', 'x-mcp-header': 'Region' };

const SCHEMA_2020_12 = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  $defs: {
    address: {
      $anchor: 'addressDef',
      type: 'object',
      properties: { street: { type: 'string' }, city: { type: 'string' } },
    },
  },
  properties: {
    name: { type: 'string' },
    address: { $ref: '#/$defs/address' },
    contactMethod: { type: 'string', enum: ['phone', 'email'] },
    phone: { type: 'string' },
    email: { type: 'string' },
  },
  allOf: [{ anyOf: [{ required: ['phone'] }, { required: ['email'] }] }],
  if: { properties: { contactMethod: { const: 'phone' } }, required: ['contactMethod'] },
  // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
  then: { required: ['phone'] },
  else: { required: ['email'] },
  additionalProperties: false,
} as const;
