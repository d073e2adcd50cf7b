#pragma once

#include <atomic>
#include <functional>
#include <string>

namespace t2v {

/// Turns three signals into results of the call that met them: a closed pipe (SIGPIPE) and a file at its size
/// limit (SIGXFSZ) fail the write; a mapped model file that became shorter (SIGBUS) ends the process with
/// exit code 3.
void install_fault_handlers();

/// Starts a thread that receives SIGINT, SIGTERM and SIGHUP, and ends the process by them. A signal that is
/// ignored stays ignored, as nohup wants it. Call it once, before other threads start.
void watch_stop_signals();

/// From now on, the first such signal sets stop_requested() and writes `notice()` to standard error; `notice`
/// may be called on any thread. A second signal, at least 0.3 s later, ends the process at once.
void stop_on_signals(const std::function<std::string()>& notice);
const std::atomic<bool>& stop_requested();

/// Ends the process by the signal that asked to stop, so that a shell loop around it stops too.
[[noreturn]] void end_by_signal();
/// The exit code that a shell shows after end_by_signal().
int stop_code();

/// Ends the process by SIGPIPE, as usual for a program whose reader has gone (`t2v -o - | head`).
[[noreturn]] void end_by_closed_pipe();

}  // namespace t2v
