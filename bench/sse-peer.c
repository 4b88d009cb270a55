/*
 * Two programs for `npm run bench -- sse`, in C so that neither the client nor the floor is what is measured.
 *
 *   sse-peer client PORT CLIENTS PATH EVENTS   opens streams, prints "ready", reads until each has all events or nothing
 *                                              comes for 5 s; prints one JSON object
 *   sse-peer floor PORT RATE SECONDS BYTES     answers every request with a stream; one send() per client and event
 *                                              from one shared buffer. Begins to publish when it gets a line on stdin.
 *
 * Every event holds "b-N-T-": its number from 0, and when it was due, in microseconds of CLOCK_MONOTONIC.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define CARRY 64
#define SLOT_US 100
#define SLOTS 600000

struct client {
  int fd;
  int carried;
  long next;
  size_t sent;
  char carry[CARRY];
};

static struct client *clients;
static unsigned slots[SLOTS];
static char buffer[CARRY + 1024 * 1024];

static long now_us(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1000000L + t.tv_nsec / 1000;
}

static void fail(const char *what) {
  perror(what);
  exit(1);
}

static struct sockaddr_in loopback(int port) {
  struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons(port)};
  a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return a;
}

static long received, lost, twice;

/* Counts the events that are complete, and returns where the first that may not be begins. */
static char *count(struct client *c, char *at, char *end, long now) {
  for (;;) {
    char *mark = memmem(at, end - at, "\"b-", 3);
    if (mark == NULL) return end - at > 2 ? end - 2 : at;
    if (end - mark < CARRY - 16) return mark;
    long number = strtol(mark + 3, &at, 10);
    long due = strtol(at + 1, &at, 10);
    if (number < c->next) twice++;
    else {
      lost += number - c->next;
      c->next = number + 1;
      received++;
      long slot = (now - due) / SLOT_US;
      slots[slot < 0 ? 0 : slot >= SLOTS ? SLOTS - 1 : slot]++;
    }
  }
}

static double quantile(double q) {
  long rank = (long)(q * received), sum = 0;
  for (int i = 0; i < SLOTS; i++)
    if ((sum += slots[i]) > rank) return (i + 0.5) * SLOT_US / 1000.0;
  return 0;
}

static void run_client(int port, int n, const char *path, long events) {
  char request[512];
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%d\r\nAccept: text/event-stream\r\n\r\n", path, port);
  struct sockaddr_in to = loopback(port);
  int poll = epoll_create1(0);
  clients = calloc(n, sizeof *clients);
  for (int i = 0; i < n; i++) {
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (fd < 0 || connect(fd, (void *)&to, sizeof to) < 0) fail("connect");
    if (write(fd, request, length) != length) fail("request");
    /* The answer's head: its client is subscribed. */
    if (recv(fd, buffer, 12, MSG_WAITALL) != 12 || memcmp(buffer, "HTTP/1.1 200", 12) != 0) fail("answer");
    fcntl(fd, F_SETFL, O_NONBLOCK);
    clients[i].fd = fd;
    struct epoll_event e = {.events = EPOLLIN, .data.u32 = i};
    epoll_ctl(poll, EPOLL_CTL_ADD, fd, &e);
  }
  printf("ready\n");
  fflush(stdout);
  struct epoll_event ready[256];
  int open = n;
  long first = 0, last = now_us();
  while (open > 0 && received + lost < events * n) {
    int got = epoll_wait(poll, ready, 256, 100);
    if (got == 0 && now_us() - last > (received > 0 ? 5000000 : 30000000)) break;
    for (int i = 0; i < got; i++) {
      struct client *c = &clients[ready[i].data.u32];
      memcpy(buffer + CARRY - c->carried, c->carry, c->carried);
      ssize_t r = read(c->fd, buffer + CARRY, sizeof buffer - CARRY);
      if (r < 0 && errno == EAGAIN) continue;
      if (r <= 0) {
        close(c->fd);
        open--;
        continue;
      }
      long before = received, now = now_us();
      char *end = buffer + CARRY + r;
      char *rest = count(c, buffer + CARRY - c->carried, end, now);
      c->carried = end - rest;
      if (c->carried > CARRY) fail("carry");
      memcpy(c->carry, rest, c->carried);
      if (received > before) {
        if (first == 0) first = now;
        last = now;
      }
    }
  }
  for (int i = 0; i < n; i++) lost += events - clients[i].next > 0 ? events - clients[i].next : 0;
  printf("{\"received\":%ld,\"lost\":%ld,\"twice\":%ld,\"p50\":%.2f,\"p99\":%.2f,\"seconds\":%.3f}\n", received, lost,
         twice, quantile(0.5), quantile(0.99), (last - first) / 1e6);
}

static void run_floor(int port, int rate, int seconds, int bytes) {
  static const char head[] = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n";
  long total = (long)rate * seconds;
  char *log = malloc(total * (bytes + 64L));
  size_t end = 0;
  int capacity = 16384, n = 0, yes = 1;
  clients = calloc(capacity, sizeof *clients);
  int server = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  struct sockaddr_in at = loopback(port);
  socklen_t size = sizeof at;
  if (bind(server, (void *)&at, size) < 0 || listen(server, 4096) < 0) fail("listen");
  getsockname(server, (void *)&at, &size);
  printf("%d\n", ntohs(at.sin_port));
  fflush(stdout);
  fcntl(0, F_SETFL, O_NONBLOCK);
  long start = 0, made = 0;
  while (getppid() != 1) {
    int fd;
    while (n < capacity && (fd = accept4(server, NULL, NULL, 0)) >= 0) {
      if (read(fd, buffer, 4096) <= 0 || write(fd, head, sizeof head - 1) < 0) fail("accept");
      setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
      fcntl(fd, F_SETFL, O_NONBLOCK);
      clients[n].sent = end;
      clients[n++].fd = fd;
    }
    if (start == 0 && read(0, buffer, 16) > 0) start = now_us();
    if (start == 0) {
      usleep(1000);
      continue;
    }
    int behind = 0;
    long due = start + made * 1000000L / rate;
    if (made < total && now_us() >= due) {
      end += sprintf(log + end, "id: 0.%ld\nevent: metric\ndata: {\"canaryId\":\"b-%ld-%ld-\",\"pad\":\"%0*d\"}\n\n", made,
                     made, due, bytes - 90, 0);
      made++;
    }
    for (int i = 0; i < n; i++) {
      struct client *c = &clients[i];
      if (c->sent == end || c->fd < 0) continue;
      ssize_t s = send(c->fd, log + c->sent, end - c->sent, MSG_NOSIGNAL);
      if (s > 0) c->sent += s;
      else if (s < 0 && errno != EAGAIN) c->fd = -1;
      behind |= c->sent < end;
    }
    long wait = start + made * 1000000L / rate - now_us();
    if (made == total) wait = behind ? 1000 : 10000;
    if (wait > 0) usleep(behind && wait > 1000 ? 1000 : wait);
  }
}

int main(int argc, char **argv) {
  if (argc != 6) return 2;
  struct rlimit files;
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
  if (strcmp(argv[1], "client") == 0) run_client(atoi(argv[2]), atoi(argv[3]), argv[4], atol(argv[5]));
  else run_floor(atoi(argv[2]), atoi(argv[3]), atoi(argv[4]), atoi(argv[5]));
  return 0;
}
