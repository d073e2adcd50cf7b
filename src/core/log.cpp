#include "core/log.h"

#include <memory>

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "core/text.h"

namespace t2v {
namespace {

spdlog::logger& logger() {
  static const std::shared_ptr<spdlog::logger> instance = [] {
    auto made = std::make_shared<spdlog::logger>("t2v", std::make_shared<spdlog::sinks::stderr_sink_mt>());
    made->set_pattern("t2v: %v");
    made->set_level(spdlog::level::warn);
    return made;
  }();
  return *instance;
}

}  // namespace

void set_log_level(LogLevel level) {
  switch (level) {
    case LogLevel::kQuiet: logger().set_level(spdlog::level::err); break;
    case LogLevel::kNormal: logger().set_level(spdlog::level::warn); break;
    case LogLevel::kVerbose: logger().set_level(spdlog::level::debug); break;
  }
}

void log_warning(const std::string& message) { logger().warn("warning: {}", escape_for_display(message)); }

void log_verbose(const std::string& message) { logger().debug("{}", escape_for_display(message)); }

}  // namespace t2v
