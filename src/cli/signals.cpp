#include "signals.h"

#include <signal.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <string_view>

namespace t2v {
namespace {

constexpr int kStopSignals[] = {SIGINT, SIGTERM, SIGHUP};

std::atomic<bool> stop{false};
volatile sig_atomic_t stop_signal = 0;
std::string stop_notice;  // not touched after the handlers are installed

// Nothing but async-signal-safe calls in the handlers.

void say(std::string_view text) {
  [[maybe_unused]] const ssize_t written = ::write(2, text.data(), text.size());
}

void on_stop_signal(int number) {
  const int interrupted_errno = errno;  // of the call that the signal came into
  if (stop_signal != 0) {
    ::signal(number, SIG_DFL);
    ::raise(number);  // delivered when this handler returns
    return;
  }
  stop_signal = number;
  stop = true;
  say(stop_notice);
  errno = interrupted_errno;
}

void on_bus_error(int number, siginfo_t* info, void*) {
  if (info->si_code != BUS_ADRERR) {
    ::signal(number, SIG_DFL);
    return;
  }
  say("t2v: error: reading the model: got a file that was cut short while it was being read, expected one "
      "that stays as "
      "it is; restore the file and run again\n");
  ::_exit(3);
}

[[noreturn]] void end_by(int number) {
  ::signal(number, SIG_DFL);
  ::raise(number);
  std::_Exit(128 + number);
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

void install_stop_handlers(const std::string& notice) {
  static_assert(std::atomic<bool>::is_always_lock_free);
  stop_notice = notice;
  for (const int number : kStopSignals) {
    struct sigaction action {};
    ::sigaction(number, nullptr, &action);
    if (action.sa_handler == SIG_IGN) continue;
    action = {};
    action.sa_handler = on_stop_signal;
    action.sa_flags = SA_RESTART;
    ::sigaction(number, &action, nullptr);
  }
}

const std::atomic<bool>& stop_requested() { return stop; }

void end_by_signal() { end_by(stop_signal != 0 ? stop_signal : SIGINT); }

void end_by_closed_pipe() { end_by(SIGPIPE); }

}  // namespace t2v
