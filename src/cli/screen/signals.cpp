#include "signals.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <cstdlib>
#include <mutex>
#include <string_view>
#include <thread>

namespace t2v {
namespace {

constexpr int kStopSignals[] = {SIGINT, SIGTERM, SIGHUP};

/// A signal this soon after the first counts as the same: timeout(1) signals its command, then its group.
constexpr std::chrono::milliseconds kSameSignal{300};

std::mutex notice_lock;
std::function<std::string()> notice;  // empty: the first signal ends the process
std::atomic<bool> stop{false};
std::atomic<int> stop_signal = SIGINT;

void say(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(2, text.data(), text.size());
}

sigset_t set_of(std::initializer_list<int> numbers) {
  sigset_t set;
  sigemptyset(&set);
  for (const int number : numbers) sigaddset(&set, number);
  return set;
}

[[noreturn]] void end_by(int number) {
  ::signal(number, SIG_DFL);
  const sigset_t set = set_of({number});
  ::pthread_sigmask(SIG_UNBLOCK, &set, nullptr);
  ::raise(number);
  std::_Exit(128 + number);
}

/// Waits for the signals of `set`. No other thread receives them.
void watch(sigset_t set) {
  std::chrono::steady_clock::time_point first;
  for (int number = 0; ::sigwait(&set, &number) == 0;) {
    const auto now = std::chrono::steady_clock::now();
    if (stop && now - first < kSameSignal) continue;
    const std::lock_guard lock(notice_lock);
    if (stop || !notice) end_by(number);
    first = now;
    stop_signal = number;
    stop = true;
    say(notice());
  }
}

void on_bus_error(int number, siginfo_t* info, void*) {
  if (info->si_code != BUS_ADRERR) {
    ::signal(number, SIG_DFL);
    return;
  }
  say("t2v: error: reading the model: got a file that became shorter while it was being read, expected a "
      "file that does not change; restore the file and run again\n");
  ::_exit(3);
}

}  // namespace

void install_fault_handlers() {
  ::signal(SIGPIPE, SIG_IGN);
  ::signal(SIGXFSZ, SIG_IGN);
  struct sigaction action {};
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO;
  ::sigaction(SIGBUS, &action, nullptr);
}

void watch_stop_signals() {
  sigset_t set = set_of({});
  for (const int number : kStopSignals) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler != SIG_IGN) sigaddset(&set, number);
  }
  // Blocked before any other thread starts, and so in every thread: oneDNN's kernels keep other data where
  // the system would write the stack frame of a signal handler.
  ::pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::thread(watch, set).detach();
}

void stop_on_signals(const std::function<std::string()>& new_notice) {
  const std::lock_guard lock(notice_lock);
  notice = new_notice;
}

const std::atomic<bool>& stop_requested() { return stop; }

void end_by_signal() { end_by(stop_signal); }

int stop_code() { return 128 + stop_signal; }

void end_by_closed_pipe() { end_by(SIGPIPE); }

}  // namespace t2v
