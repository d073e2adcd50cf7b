#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include <nlohmann/json_fwd.hpp>

namespace t2v {

/// What one phase of a clip has to do. Work of the same phase, dtype, width and length takes time in
/// proportion to its amount.
struct PhaseWork {
  std::string phase;  ///< "start", "load", "text", "sampling", "decoding"
  std::string dtype;  ///< "float32", "bfloat16"; "" where it makes no difference
  double width = 1;   ///< of the model: dim, d_model, decoder_base_dim
  double length = 1;  ///< tokens; of decoding, pixels of a frame
  double amount = 1;  ///< floating-point operations; of loading, bytes
};

/// What bench has measured on one device, kept in the user's cache folder:
/// $XDG_CACHE_HOME/t2v/calibration.json, or below ~/.cache.
class Calibration {
 public:
  /// What is stored for the device of that name; nothing of it if the file is missing or damaged.
  static Calibration of(const std::string& device);

  /// By the rate that was measured for the most similar work; nothing if there is none of that phase and
  /// dtype.
  std::optional<double> seconds(const PhaseWork& work) const;

  /// Notes how long work took, in place of what was noted for the same.
  void add(const PhaseWork& work, double seconds);
  /// Writes the file anew, with what it holds by now and what was noted here. One process after the other;
  /// failing is a warning.
  void store() const;

 private:
  explicit Calibration(std::string device) : device_(std::move(device)) {}
  /// What `content` of the file has of the device.
  static Calibration in(const nlohmann::ordered_json& content, const std::string& device);

  /// Of which the amount is what is done in a second.
  using Rate = PhaseWork;
  void add(const Rate& rate);

  std::string device_;
  std::vector<Rate> rates_;
  std::vector<Rate> noted_;  ///< of them, those that are not in the file
};

}  // namespace t2v
