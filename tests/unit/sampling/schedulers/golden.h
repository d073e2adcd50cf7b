#pragma once

#include <algorithm>
#include <cmath>
#include <fstream>
#include <limits>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "sampling/schedulers/scheduler.h"

namespace t2v::golden {

/// The entries of tests/fixtures/<file>, made by scripts/fixtures/make_schedulers.py.
inline nlohmann::json read(const std::string& file) {
  std::ifstream stream(std::string(T2V_FIXTURES) + "/" + file);
  return nlohmann::json::parse(stream);
}

/// null, which stands for a value that is not finite, becomes NaN.
inline std::vector<float> floats(const nlohmann::json& list) {
  std::vector<float> values;
  for (const nlohmann::json& value : list) {
    values.push_back(value.is_null() ? std::numeric_limits<float>::quiet_NaN() : value.get<float>());
  }
  return values;
}

inline at::ScalarType dtype(const nlohmann::json& entry, const std::string& key) {
  return entry.at(key) == "bfloat16" ? at::kBFloat16 : at::kFloat;
}

/// Every number of a JSON list in `shape`.
inline Tensor tensor(const nlohmann::json& list, at::IntArrayRef shape) {
  return at::tensor(at::ArrayRef<float>(floats(list))).reshape(shape);
}

/// The largest difference over the largest value.
inline double relative_difference(const Tensor& actual, const Tensor& expected) {
  const Tensor reference = expected.to(at::kDouble);
  const double largest = reference.abs().max().item<double>();
  return (actual.to(at::kDouble) - reference).abs().max().item<double>() / largest;
}

inline std::unique_ptr<Scheduler> scheduler(const nlohmann::json& entry) {
  SchedulerOverrides overrides;
  overrides.sigmas = entry.at("user_sigmas").get<std::vector<double>>();
  overrides.legacy_flow_sigmas = entry.at("legacy");
  auto made = make_scheduler(Config(entry.at("config"), "golden"), overrides);
  made->set_timesteps(entry.at("num_inference_steps"));
  return made;
}

/// What tells one entry from the others.
inline std::string label(const nlohmann::json& entry) {
  return entry.at("config").dump() + " steps " + entry.at("num_inference_steps").dump() + " legacy " +
         entry.at("legacy").dump() + " user sigmas " + entry.at("user_sigmas").dump() + " " +
         entry.value("dtype", "");
}

/// Grids of one class, at least `least`: timesteps equal, sigmas within 1e-6 (float32, relative to 1).
inline void expect_grids(const std::string& class_name, int least) {
  int compared = 0;
  for (const nlohmann::json& entry : read("schedulers/grids.json")) {
    if (entry.at("config").at("_class_name") != class_name) continue;
    SCOPED_TRACE(label(entry));
    const auto made = scheduler(entry);
    const std::vector<float> timesteps = floats(entry.at("timesteps"));
    const std::vector<float> sigmas = floats(entry.at("sigmas"));
    EXPECT_EQ(std::vector<float>(made->timesteps().begin(), made->timesteps().end()), timesteps);
    ASSERT_EQ(made->sigmas().size(), sigmas.size());
    for (size_t i = 0; i < sigmas.size(); ++i) EXPECT_NEAR(made->sigmas()[i], sigmas[i], 1e-6) << i;
    ++compared;
  }
  EXPECT_GE(compared, least);
}

/// Every step of every run of one class, at least `least`, each from our own last sample, within 1e-6 of the
/// largest value. That is exact for bfloat16 samples.
inline void expect_traces(const std::string& class_name, int least) {
  int compared = 0;
  for (const nlohmann::json& entry : read("schedulers/traces.json")) {
    if (entry.at("config").at("_class_name") != class_name) continue;
    SCOPED_TRACE(label(entry));
    const auto shape = entry.at("shape").get<std::vector<int64_t>>();
    const nlohmann::json& samples = entry.at("samples");
    const auto made = scheduler(entry);
    const at::Generator noise = seeded_generator(entry.at("noise_seed").get<uint64_t>());
    Tensor sample = tensor(samples[0], shape);
    for (size_t i = 0; i < entry.at("model_outputs").size(); ++i) {
      const Tensor output = tensor(entry.at("model_outputs")[i], shape);
      Tensor expected = tensor(samples[i + 1], shape);
      // The reference's bh1 ends in NaN at sigma 0; the step is the predicted clean sample.
      if (samples[i + 1][0].is_null()) expected = sample - made->sigmas()[i] * output;
      sample = made->step(output.to(dtype(entry, "dtype")), sample, noise);
      EXPECT_EQ(sample.scalar_type(), dtype(entry, "sample_dtype")) << "step " << i;
      EXPECT_LE(relative_difference(sample, expected), 1e-6) << "step " << i;
      ++compared;
    }
  }
  EXPECT_GE(compared, least);
}

/// Each of these settings in `config` is an Error (kInput) that names its key.
inline void expect_refused(const nlohmann::json& config,
                           const std::vector<std::pair<std::string, nlohmann::json>>& settings) {
  for (const auto& [key, value] : settings) {
    nlohmann::json changed = config;
    changed[key] = value;
    try {
      make_scheduler(Config(changed, "scheduler_config.json"), {});
      ADD_FAILURE() << key << " " << value;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::kInput);
      EXPECT_THAT(error.what(), ::testing::HasSubstr("'" + key + "'"));
    }
  }
}

}  // namespace t2v::golden
