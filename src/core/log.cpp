#include "core/log.h"

#include <memory>
#include <mutex>

#include <spdlog/sinks/base_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include "t2v/text.h"

namespace t2v {
namespace {

using Writer = std::function<void(const std::string&)>;

/// Hands each line to a function.
class WriterSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  explicit WriterSink(Writer write) : write_(std::move(write)) {}

 private:
  void sink_it_(const spdlog::details::log_msg& message) override {
    write_(std::string(message.payload.begin(), message.payload.end()));
  }
  void flush_() override {}

  Writer write_;
};

std::shared_ptr<spdlog::logger> make_logger(spdlog::sink_ptr sink) {
  auto made = std::make_shared<spdlog::logger>("t2v", std::move(sink));
  made->set_level(spdlog::level::warn);
  made->set_pattern("%v");
  return made;
}

std::shared_ptr<spdlog::logger>& logger() {
  static auto instance = make_logger(std::make_shared<spdlog::sinks::stderr_sink_mt>());
  return instance;
}

}  // namespace

void set_log(LogLevel level, Writer write) {
  if (write) logger() = make_logger(std::make_shared<WriterSink>(std::move(write)));
  switch (level) {
    case LogLevel::kQuiet:
      logger()->set_level(spdlog::level::err);
      break;
    case LogLevel::kNormal:
      logger()->set_level(spdlog::level::warn);
      break;
    case LogLevel::kVerbose:
      logger()->set_level(spdlog::level::debug);
      break;
  }
}

void log_warning(const std::string& message) {
  logger()->warn("t2v: warning: {}", escape_for_display(message));
}

void log_beside_error(const std::string& message) {
  logger()->error("t2v: warning: {}", escape_for_display(message));
}

void log_note(const std::string& message) { logger()->warn("t2v: {}", escape_for_display(message)); }

void log_verbose(const std::string& message) { logger()->debug("t2v: {}", escape_for_display(message)); }

}  // namespace t2v
