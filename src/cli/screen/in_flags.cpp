#include "in_flags.h"

#include <utility>

namespace t2v {
namespace {

std::function<std::string(const std::string&)>& converter() {
  static std::function<std::string(const std::string&)> instance;
  return instance;
}

}  // namespace

std::string in_flags(const std::string& message) { return converter() ? converter()(message) : message; }

void set_in_flags(std::function<std::string(const std::string&)> convert) {
  converter() = std::move(convert);
}

}  // namespace t2v
