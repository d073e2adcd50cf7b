#pragma once

#include <unistd.h>

#include <utility>

namespace t2v {

/// An open file of the system, closed at the end of the scope; closing it frees its lock.
class Descriptor {
 public:
  explicit Descriptor(int value = -1) : value_(value) {}
  Descriptor(Descriptor&& other) noexcept : value_(std::exchange(other.value_, -1)) {}
  Descriptor& operator=(Descriptor&& other) noexcept {
    std::swap(value_, other.value_);
    return *this;
  }
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }

  /// -1 if opening failed, and after the file was moved away.
  int value() const { return value_; }
  /// Closes the file. Returns false, with errno set, if written data may be lost.
  bool close() { return ::close(std::exchange(value_, -1)) == 0; }

 private:
  int value_;
};

}  // namespace t2v
