#pragma once

#include <string>
#include <vector>

#include "core/config.h"
#include "tensors/weights/weights.h"

namespace t2v {

/// Constructs the network of a part of a Wan model, with all layers that its files have. Error (kInput).
void construct_wan_network(const std::string& network, const Config& config, const Weights& weights);

/// LoadOptions::keep_in_fp32 for the network of a part.
std::vector<std::string> wan_keep_in_fp32(const std::string& network);

}  // namespace t2v
