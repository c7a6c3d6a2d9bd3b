// Loaded into replicas: SIGUSR2 blocks their event loop for two seconds, as a handler does that computes for so long.

process.on('SIGUSR2', () => {
  const until = performance.now() + 2_000
  while (performance.now() < until);
})
