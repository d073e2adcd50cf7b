#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// Work of one phase of a clip. The time of work of the same phase, dtype, width and length is proportional
/// to its amount.
struct PhaseWork {
  std::string phase;  ///< "start", "load", "text", "sampling", "decoding"
  std::string dtype;  ///< "float32", "bfloat16"; "" for a phase without a dtype
  double width = 1;   ///< of the model: dim, d_model, decoder_base_dim
  double length = 1;  ///< tokens; of decoding, pixels of a frame
  double amount = 1;  ///< floating-point operations; of loading, bytes
};

/// Speed of one device as bench measured it, kept in the user's cache folder:
/// $XDG_CACHE_HOME/t2v/calibration.json, or below ~/.cache.
class Calibration {
 public:
  /// The stored speed of a device; empty if the file is missing or damaged.
  static Calibration of(const std::string& device);

  /// Seconds for work, at the rate of the most similar measured work. Empty without a measurement of the
  /// phase and dtype.
  std::optional<double> seconds(const PhaseWork& work) const;

  /// Adds a measurement, or replaces the measurement of the same work.
  void add(const PhaseWork& work, double seconds);
  /// Adds the new measurements to the file, under a lock. A failure gives a warning.
  void store() const;

 private:
  explicit Calibration(std::string device) : device_(std::move(device)) {}
  /// The speed of the device in the content of the file.
  static Calibration in(const nlohmann::ordered_json& content, const std::string& device);

  /// Work whose amount is done in a second.
  using Rate = PhaseWork;
  void add(const Rate& rate);

  std::string device_;
  std::vector<Rate> rates_;
  std::vector<Rate> noted_;  ///< rates that are not in the file yet
};

}  // namespace t2v
