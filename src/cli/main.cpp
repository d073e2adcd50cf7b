#include <string>
#include <vector>

#include "run_command.h"
#include "signals.h"
#include "streams.h"

int main(int argument_count, char** arguments) {
  t2v::open_missing_streams();
  t2v::install_fault_handlers();
  t2v::watch_stop_signals();
  return t2v::run_command(
      std::vector<std::string>(arguments + (argument_count > 0 ? 1 : 0), arguments + argument_count));
}
