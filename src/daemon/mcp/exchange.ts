import {
  isJSONRPCRequest,
  type JSONRPCErrorResponse,
  type JSONRPCMessage,
  type JSONRPCNotification,
  type JSONRPCRequest,
  type JSONRPCResultResponse,
  type McpServer,
  type MessageExtraInfo,
  type Server,
  type Transport,
} from '@modelcontextprotocol/server';

export type Answer = JSONRPCResultResponse | JSONRPCErrorResponse;

/**
 * One request and its answer within the process, for HTTP without sessions. The package's own HTTP transport requires clients to
 * accept event streams, which plain ones do not, and treats the messages of a batch as one exchange.
 */
class Exchange implements Transport {
  onmessage?: (message: JSONRPCMessage, extra?: MessageExtraInfo) => void;
  onclose?: () => void;
  onerror?: (error: Error) => void;
  readonly answer: Promise<Answer | null>;
  private settle: (answer: Answer | null) => void = () => undefined;
  private closed = false;

  constructor(private readonly onNotification: (message: JSONRPCNotification) => void) {
    this.answer = new Promise((resolve) => {
      this.settle = resolve;
    });
  }

  async start(): Promise<void> {
    return undefined;
  }

  async send(message: JSONRPCMessage): Promise<void> {
    if (isJSONRPCRequest(message))
      throw new Error(`${message.method}: the client has no session, so the server cannot send it requests`);
    if ('method' in message) this.onNotification(message);
    else this.settle(message as Answer);
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    this.settle(null);
    this.onclose?.();
  }
}

/**
 * Has a server answer one request.
 * @returns null when the signal was aborted before there was an answer
 */
export async function exchange(
  server: McpServer | Server,
  request: JSONRPCRequest,
  signal: AbortSignal,
  onNotification: (message: JSONRPCNotification) => void,
): Promise<Answer | null> {
  const transport = new Exchange(onNotification);
  const end = () => void transport.close();
  await server.connect(transport);
  signal.addEventListener('abort', end, { once: true });
  try {
    if (signal.aborted) return null;
    transport.onmessage?.(request);
    return await transport.answer;
  } finally {
    signal.removeEventListener('abort', end);
    await transport.close();
  }
}
