#pragma once

#include <compare>
#include <string>
#include <utility>

#include "t2v/checked_request.h"

namespace t2v {

/// Equal for clips that one loaded model renders.
using ModelKey = std::pair<ModelChoice, Machine>;
ModelKey model_of(const CheckedRequest& request);

/// Equal for clips of one size and length: the size without its frame rate.
CheckedSize shape_of(const CheckedRequest& request);

/// Equal for clips that take as much memory and disk, where model and size are equal too.
struct KindKey {
  std::string extension;
  Encoding encoding;
  StepCaching caching;
  std::string sampler;
  double fps;
  int64_t threads;
  bool vae_tiling, is_guided, makes_previews;
  Conditions conditions;  ///< with one name for every file: only which are given counts

  auto operator<=>(const KindKey&) const = default;
};
KindKey kind_of(const CheckedRequest& request);

/// About how long a clip takes, relative to others.
double work_of(const CheckedRequest& request);

}  // namespace t2v
