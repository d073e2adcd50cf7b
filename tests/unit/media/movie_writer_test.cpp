#include "media/video_writer.h"

#include <gmock/gmock.h>
#include "frames.h"
#include "media/video_reader.h"
namespace t2v {
TEST(MovieWriter, First) {
  for (std::string name : {"a.mp4", "a.mkv", "b.mkv"}) {
  const auto path = std::filesystem::path(::testing::TempDir()) / name;
  std::filesystem::remove(path);
  VideoSettings s{.width = 192, .height = 128, .fps = 23.976, .comment = "{\"prompt\": \"a\", \"seed\": \"1\"}", .frame_count = 17};
  if (name == "b.mkv") s.quality = "lossless";
  auto w = make_video_writer(path, s);
  w->write(moving_disc(17, 128, 192));
  w->publish();
  VideoReader r(path);
  printf("%s %s %s %s %s %s %s %f %s\n", r.info().codec.c_str(), r.info().pixel_format.c_str(), r.info().color_range.c_str(), r.info().color_space.c_str(), r.info().color_primaries.c_str(), r.info().color_trc.c_str(), r.info().chroma_location.c_str(), r.info().fps, r.info().comment.c_str());
  const Frames o = moving_disc(17, 128, 192);
  double se = 0; int64_t n = 0, i = 0;
  while (r.next()) { auto f = r.frame(); for (size_t k = 0; k < f.rgb.size(); ++k, ++n) { double d = double(f.rgb[k]) - o.rgb[size_t(i)*f.rgb.size()+k]; se += d*d; } ++i; }
  printf("%ld frames, psnr %f\n", i, 10*std::log10(255*255*double(n)/se));
  }
}
}
