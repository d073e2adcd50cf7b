#pragma once

#include <atomic>
#include <functional>
#include <string>

namespace t2v {

/// A reader that went away and a file at its size limit become errors of the write; a model file that was cut
/// short while it is mapped becomes exit code 3.
void install_fault_handlers();

/// Has SIGINT, SIGTERM and SIGHUP come to a thread of their own, which ends the process by them. One that was
/// ignored stays ignored (nohup). Once, before other threads are started.
void watch_stop_signals();

/// From now on such a signal once writes what `notice` gives, which any thread may call, to standard error
/// and sets stop_requested(); twice, a third of a second later or more, ends the process at once.
void stop_on_signals(const std::function<std::string()>& notice);
const std::atomic<bool>& stop_requested();

/// Ends the process by the signal that asked to stop, so that a shell loop stops too.
[[noreturn]] void end_by_signal();
/// The exit code that a shell sees then.
int stop_code();

/// Ends the process by SIGPIPE, as a program does whose reader has gone (`t2v -o - | head`).
[[noreturn]] void end_by_closed_pipe();

}  // namespace t2v
