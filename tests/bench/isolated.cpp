#include "tests/bench/isolated.hpp"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sstream>
#include <utility>

namespace limpet::bench {

namespace {

// One figure a line: name, unit, value. Names and units have no blanks.
[[noreturn]] void become(int results, const std::function<Figures()>& work) {
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  const Figures figures = work();
  FILE* file = fdopen(results, "w");
  for (const Figure& one : figures) {
    fprintf(file, "%s %s %.17g\n", one.name.c_str(), one.unit.c_str(), one.value);
  }
  fclose(file);
  _exit(0);
}

std::string read_all(int file) {
  std::string text;
  char buffer[4096];
  ssize_t count = 0;
  while ((count = read(file, buffer, sizeof buffer)) > 0) {
    text.append(buffer, static_cast<size_t>(count));
  }
  return text;
}

}  // namespace

Isolated::Isolated(const std::function<Figures()>& work) {
  int ends[2];
  if (pipe(ends) != 0) fail("no pipe");
  fflush(nullptr);  // or the child would print it again
  child_ = fork();
  if (child_ < 0) fail("cannot start a process");
  if (child_ == 0) {
    close(ends[0]);
    become(ends[1], work);
  }
  close(ends[1]);
  results_ = ends[0];
}

Isolated::~Isolated() {
  close(results_);
  if (child_ > 0) waitpid(child_, nullptr, 0);
}

std::optional<Figures> Isolated::try_wait() {
  std::istringstream text(read_all(results_));
  int status = 0;
  if (waitpid(std::exchange(child_, -1), &status, 0) < 0 || status != 0) return std::nullopt;
  Figures figures;
  Figure one;
  while (text >> one.name >> one.unit >> one.value) figures.push_back(one);
  return figures;
}

Figures Isolated::wait() {
  std::optional<Figures> figures = try_wait();
  if (!figures) fail("a measurement failed");
  return *std::move(figures);
}

}  // namespace limpet::bench
